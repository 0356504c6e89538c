"""Heads of the trail and the decision log, written outside the database as C2SP signed-note checkpoints.

A line of ``heads/YYYY-MM.jsonl`` in the home is one note as a JSON string. Its first three lines are those of a
checkpoint: origin, number of anchors, digest of the newest. The digest is the head of a chain and not a tree's root,
so a head is compared with the database and not proven by a consistency proof. A line for the decision log follows.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from audit import signing, trail
from audit.models import AuditAnchor, AuditEvent
from common import actors
from common.canonical import sha256
from policies.decision_log.ageing import checkpoints
from policies.models import DecisionBatch

SEALED, RESTORED = "evidence.head", "evidence.restored"
_OFTEN = timedelta(minutes=1)
_ED25519 = b"\x01"
_NOTE = re.compile(r"([^\n]+)\n(\d+)\n([A-Za-z0-9+/]{43}=)\nlog (\d+) ([A-Za-z0-9+/]{43}=)\n\n((?:\u2014 [^\n]+\n)+)")


class NotAHead(ValueError):
    """Rejection of a text that is no head of ours; the text says why."""


@dataclass(frozen=True)
class Head:
    """Newest anchor and newest batch of the decision log; 0 and zeros where there is none."""

    anchors: int
    anchor: bytes
    batches: int
    batch: bytes


def current() -> Head:
    anchor = AuditAnchor.objects.order_by("-sequence").first()
    batch = DecisionBatch.objects.order_by("-sequence").first()
    return Head(
        anchor.sequence if anchor else 0,
        bytes(anchor.digest) if anchor else bytes(32),
        batch.sequence if batch else 0,
        bytes(batch.digest) if batch else bytes(32),
    )


def seal_log() -> None:
    """Record the head of the decision log in the trail where it has grown, at most once a minute."""
    last, head = _last_sealed(), current()
    if last is not None and (last.details["batches"] == head.batches or timezone.now() - last.occurred_at < _OFTEN):
        return
    if head.batches:
        details = {"batches": head.batches, "digest": head.batch.hex()}
        trail.record(SEALED, "decision_log", actor=actors.job("evidence"), details=details)


def lost_since_sealed() -> str | None:
    """Compare the decision log with the head of it that the trail holds."""
    last = _last_sealed()
    if last is None:
        return None
    return _lost_batch(last.details["batches"], bytes.fromhex(last.details["digest"]))


def _last_sealed() -> AuditEvent | None:
    return AuditEvent.objects.filter(action=SEALED, object="decision_log").order_by("-position").first()


def write() -> bool:
    """Append the present head to the file of the month unless it is the last one there; return whether it was."""
    folder, head = _folder(), current()
    last = last_written()
    if not head.anchors or (last is not None and (last == head or lost_since_written())):
        return False  # after a restore nothing newer may hide the head that shows it
    if not signing.is_available():
        return False  # readiness warns of it
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / f"{timezone.now():%Y-%m}.jsonl").open("a") as file:
        file.write(json.dumps(_note(head), ensure_ascii=False) + "\n")
    return True


def last_written() -> Head | None:
    """Return the newest head in the home, or None where there is none."""
    files = sorted(_folder().glob("*.jsonl"))
    return read_last(files[-1]) if files else None


def lost_since_written() -> str | None:
    """Compare the database with the newest head in the home, unless an operator has accepted the difference."""
    try:
        head = last_written()
    except NotAHead as exc:
        return f"the last head in {_folder().name}/ cannot be read: {exc}"
    found = None if head is None else compare(head)
    if found is None or head is None:
        return None
    accepted = AuditEvent.objects.filter(action=RESTORED, object=head.anchor.hex()).exists()
    return None if accepted else found


def accept_restore(*, actor: str) -> bool:
    """Record that the database is meant to be older than the newest head in the home; return whether it was."""
    head = last_written()
    if head is None or lost_since_written() is None:
        return False
    trail.record(RESTORED, head.anchor.hex(), actor=actor, details={"anchors": head.anchors, "batches": head.batches})
    return True


def compare(head: Head) -> str | None:
    """Return what of a head the database no longer has, or None."""
    if head.anchors:
        anchor = AuditAnchor.objects.filter(sequence=head.anchors).first()
        if anchor is None:
            return f"anchor {head.anchors} of the kept head is missing"
        if bytes(anchor.digest) != head.anchor:
            return f"anchor {head.anchors} is not the one of the kept head"
    return _lost_batch(head.batches, head.batch)


def _lost_batch(sequence: int, digest: bytes) -> str | None:
    if not sequence:
        return None
    batch = DecisionBatch.objects.filter(sequence=sequence).first()
    if batch is None:
        return _lost_or_dropped(sequence, digest)
    return None if bytes(batch.digest) == digest else f"decision batch {sequence} is not the one of a sealed head"


def _lost_or_dropped(sequence: int, digest: bytes) -> str | None:
    try:
        gone = checkpoints.dropped()
    except checkpoints.CheckpointBroken as exc:
        return str(exc)
    if sequence > gone.upto:
        return f"decision batch {sequence} is missing, which a sealed head names"
    return _other_than_dropped(sequence, digest, gone)


def _other_than_dropped(sequence: int, digest: bytes, gone: checkpoints.Dropped) -> str | None:
    """Compare a head with the checkpoint, or with another head of the same batch: the batch itself was dropped."""
    said = AuditEvent.objects.filter(action=SEALED, object="decision_log", details__batches=sequence)
    known = {gone.digest.hex()} if sequence == gone.upto else set(said.values_list("details__digest", flat=True))
    if known - {digest.hex()}:
        return f"decision batch {sequence} was dropped, and is not the one of a sealed head"
    return None


def _folder() -> Path:
    return Path(settings.ASSENT_HOME) / "heads"


def _note(head: Head) -> str:
    origin = f"{urlsplit(settings.PUBLIC_URL).netloc}/assent"
    text = f"{origin}\n{head.anchors}\n{_text(head.anchor)}\nlog {head.batches} {_text(head.batch)}\n"
    public, signature = signing.sign_bytes(text.encode())
    key_hash = sha256(origin.encode() + b"\n" + _ED25519 + public)[:4]
    return f"{text}\n\u2014 {origin} {_text(key_hash + signature)}\n"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def read_last(path: Path) -> Head:
    """Read the last head of a file of lines, or the one of a file that is a note. Raises NotAHead."""
    text = path.read_text()
    notes = list(_notes(text)) or [text]
    return read(notes[-1])


def _notes(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith('"') and line.endswith('"'):  # a line without its end was never finished
            try:
                yield json.loads(line)
            except ValueError as exc:
                raise NotAHead("a line is not JSON") from exc


def read(note: str) -> Head:
    """Read a note and check that a key of this instance signed it. Raises NotAHead."""
    found = _NOTE.fullmatch(note)
    if found is None:
        raise NotAHead("it is not a checkpoint of this program")
    text = note[: note.index("\n\n") + 1]
    if not any(_is_signed(text, found[1], line) for line in found[6].splitlines()):
        raise NotAHead("no key of this instance signed it")
    return Head(int(found[2]), base64.b64decode(found[3]), int(found[4]), base64.b64decode(found[5]))


def _is_signed(text: str, origin: str, line: str) -> bool:
    name, _, encoded = line.removeprefix("\u2014 ").rpartition(" ")
    value = base64.b64decode(encoded)
    return name == origin and any(
        value[:4] == sha256(origin.encode() + b"\n" + _ED25519 + public)[:4]
        and signing.is_signed(text.encode(), value[4:], public)
        for public in signing.public_keys()
    )
