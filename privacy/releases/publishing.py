"""From a preview to a published release: the policy, a second officer, a signed manifest; expiry and revocation.

The policy is asked when a release is proposed and again when it is approved, as it may be another one by then. A
manifest names what was published by digest, so ``verifying`` needs nothing but the two files and the public key.
"""

import hashlib
import logging
import math
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from audit import signing, trail
from common.canonical import canonical_json, digest_of
from oversight.approvals import steps, subjects, verdicts
from privacy.anonymisation.files.inspection import sha256_of
from privacy.budgets.estimates import CONFIDENCE
from privacy.models import TableRelease
from privacy.releases import gate, running, uploads, verifying
from privacy.releases.asking import Asked
from privacy.releases.gate import INFERENCE, SINGLING_OUT
from privacy.releases.noisy.asking import NoisyAsked
from privacy.releases.problems import NoSuchRelease, ReleaseRefused
from privacy.releases.subjects import of_release
from privacy.releases.verifying import TYP

logger = logging.getLogger(__name__)
Stage = TableRelease.Stage
_THOUSAND = 1_000


def facts_of(release: TableRelease) -> gate.Facts:
    """Return what the policy is asked about a release whose job is done."""
    if release.is_noisy:
        return NoisyAsked.of(release).facts()
    asked, report = Asked.of(release), _report(release)
    result, linked = report["result"], report.get("linked")
    overlaps = [each["smallest"] for each in _figures(release)["overlaps"]]
    return gate.Facts(
        kind="table",
        k=result["smallest_class"] if linked is None else min(result["smallest_class"], linked["smallest"]),
        l=result["fewest_sensitive"] or 1,
        t=_THOUSAND if result["furthest"] is None else -int(-result["furthest"] * _THOUSAND // 1),
        epsilon=None,
        has_sensitive=bool(asked.sensitive),
        purpose=asked.purpose,
        receivers=asked.receivers,
        people=asked.people,
        region=asked.region,
        days=asked.days,
        smallest_overlap=min(overlaps, default=None),
        person_key=linked is not None,
        inferred=_found_by(release, INFERENCE),
        singled_out=_found_by(release, SINGLING_OUT),
    )


def _found_by(release: TableRelease, attack: str) -> int | None:
    """Return what an attack found beyond its control, in thousandths, rounded up."""
    found = (each["excess"] for each in _figures(release).get("attacks", ()) if each["name"] == attack)
    excess = next(found, None)
    return None if excess is None else math.ceil(excess * _THOUSAND)


def verdict_of(release: TableRelease) -> gate.Verdict:
    """Ask the policy whether a release may leave, without changing anything."""
    return gate.ask(facts_of(release))


@transaction.atomic
def propose(release: TableRelease, *, actor: str, reason: str = "") -> TableRelease:
    """Propose a release to a second officer. Raises ReleaseRefused with the policy's reasons."""
    current = _locked(release)
    if current.state != TableRelease.State.DONE or current.stage != Stage.DRAFT:
        raise ReleaseRefused("Only a preview whose job is done can be proposed.")
    verdict = _permitted(current)
    current.asked = {**current.asked, "reason": reason[:500]}
    current.document = _document(current, verdict)
    current.digest = digest_of(current.document).hex()
    current.stage = Stage.PROPOSED
    current.save(update_fields=["asked", "document", "digest", "stage"])
    steps.record(of_release(current), "proposed", actor=actor, note=reason, details=_named(current))
    subjects.ask(of_release(current), actor=actor)
    return current


@transaction.atomic
def approve(release: TableRelease, *, actor: str, seen: str, reason: str = "") -> TableRelease:
    """Approve what was seen, as an officer independent of its author, and publish it under a signed manifest.

    Raises ReleaseRefused, SecondOfficerNeeded, Outdated, ChangeRefused.
    """
    uploads.lock_alike(release.table)
    current = _open(release)
    verdict = _permitted(current)
    _refuse_changed(current, verdict)
    current.decision = verdicts.approve(of_release(current), actor=actor, seen=seen, reason=reason)
    now = timezone.now()
    current.published_at, current.expires_at = now, now + timedelta(days=current.asked["days"])
    current.stage = Stage.PUBLISHED
    current.manifest = _signed(current, verdict)
    current.save(update_fields=["decision", "published_at", "expires_at", "stage", "manifest"])
    steps.record(of_release(current), "published", actor=actor, note=reason, details=_named(current))
    return current


@transaction.atomic
def refuse(release: TableRelease, *, actor: str, seen: str, reason: str) -> TableRelease:
    """Refuse a release, or withdraw it as its author: nothing leaves. Raises as ``approve``."""
    current = _open(release)
    subject = of_release(current)
    if subject.is_author(actor):
        subjects.no_longer_needed(subject, actor=actor, outcome="withdrawn")
        step = "withdrawn"
    else:
        current.decision = verdicts.refuse(subject, actor=actor, seen=seen, reason=reason)
        step = "refused"
    current.stage = Stage.REFUSED
    current.save(update_fields=["decision", "stage"])
    steps.record(subject, step, actor=actor, note=reason)
    return current


@transaction.atomic
def revoke(release: TableRelease, *, actor: str, reason: str) -> TableRelease:
    """End a published release at once: the next request for it is refused. One officer may, with a reason."""
    current = _locked(release)
    if current.stage != Stage.PUBLISHED:
        raise ReleaseRefused("Only a published release can be revoked.")
    if not reason.strip():
        raise ReleaseRefused("Say why it is revoked: its receivers have to be informed.")
    current.stage, current.revoked_at = Stage.REVOKED, timezone.now()
    current.save(update_fields=["stage", "revoked_at"])
    steps.record(of_release(current), "revoked", actor=actor, note=reason)
    return current


def hand_out(release: TableRelease, *, actor: str, party: str) -> BinaryIO:
    """Open the copy for a party, and write that into the trail.

    Raises NoSuchRelease where it has ended or the file is gone, and where file, receivers or end are not those that
    were measured and signed: a program that can write to the folder or the database cannot sign.
    """
    if release.stage not in (Stage.DRAFT, Stage.PROPOSED) and not release.is_in_force(timezone.now()):
        raise NoSuchRelease("This release is not in force.")
    try:
        file = uploads.copy_of(release).open("rb")
    except FileNotFoundError:
        raise NoSuchRelease("The file of this release is not here any more.") from None
    if not _is_as_signed(release, hashlib.file_digest(file, "sha256").hexdigest()):
        file.close()
        logger.error("The release %s is not what was measured and signed; it is not handed out.", release.pk)
        raise NoSuchRelease("This release was changed since it was made; it is not handed out.")
    file.seek(0)
    trail.record("release.downloaded", str(release.pk), actor=actor, details={"party": party, **_named(release)})
    return file


def _is_as_signed(release: TableRelease, sha256: str) -> bool:
    if sha256 != release.target_sha256 or release.published_at is None:
        return sha256 == release.target_sha256
    trusted = {key["kid"]: key for key in signing.published_keys()["keys"]}
    try:
        said, _kid = verifying.read(release.manifest, trusted=trusted)
    except verifying.NotTheRelease:
        return False
    signed = said["release"], said["target"]["sha256"], said["asked"]["receivers"], said["expires_at"]
    return bool(
        release.expires_at and signed == (str(release.pk), sha256, release.receivers, release.expires_at.isoformat())
    )


def _locked(release: TableRelease) -> TableRelease:
    locked = TableRelease.objects.select_for_update(of=("self",)).select_related("table")
    found: TableRelease = locked.get(pk=release.pk)
    return found


def _open(release: TableRelease) -> TableRelease:
    current = _locked(release)
    if current.stage != Stage.PROPOSED:
        raise ReleaseRefused(f"This release is not proposed: {current.get_stage_display().lower()}.")
    return current


def _permitted(release: TableRelease) -> gate.Verdict:
    verdict = verdict_of(release)
    if not verdict.is_permitted:
        raise ReleaseRefused(" ".join(reason.sentence for reason in verdict.reasons))
    return verdict


def _refuse_changed(release: TableRelease, verdict: gate.Verdict) -> None:
    """Refuse where the copy is not what was measured, or something was published of the table since."""
    if release.table.removed_at is not None:
        raise ReleaseRefused("Its table is gone: its time is over. Take it in again, and prepare the release anew.")
    place = uploads.copy_of(release)
    document = release.document or {}
    anew = {**_document(release, verdict), "policy": document.get("policy")}
    if not digest_of(document).hex() == digest_of(anew).hex() == release.digest:
        raise ReleaseRefused("What was asked or measured was changed after it was proposed.")
    if not place.exists() or sha256_of(place) != release.target_sha256:
        raise ReleaseRefused("The copy is not the file that was measured. Prepare the release anew.")
    compared = {each["release"] for each in _figures(release)["overlaps"]}
    others = running.published_of(release)
    news = [each for each in others if str(each.pk) not in compared and each.target_sha256 != release.target_sha256]
    if news:
        raise ReleaseRefused("Another release of this table was published since. Prepare this one anew.")


def _named(release: TableRelease) -> dict[str, Any]:
    return {"target": release.target_sha256, "receivers": release.receivers, "purpose": release.asked["purpose"]}


def _report(release: TableRelease) -> dict[str, Any]:
    if release.report is None:
        raise ReleaseRefused("Its job has not ended.")
    return dict(release.report)


def _figures(release: TableRelease) -> dict[str, Any]:
    return dict(release.figures or {"overlaps": []})


def _document(release: TableRelease, verdict: gate.Verdict) -> dict[str, Any]:
    """Return what a second officer approves: everything about the release but its approval. Numbers as texts."""
    report, figures = _report(release), _figures(release)
    result = report["result"]
    whole = {
        "format": 1,
        "release": str(release.pk),
        "target": {
            "sha256": release.target_sha256,
            "bytes": figures["bytes"],
            "rows": result["rows"],
            "name": release.file_name,
        },
        "asked": _texts(release.asked),
        "policy": {
            "revision": verdict.revision,
            "warnings": [reason.as_document() for reason in verdict.warnings],
        },
        "author": release.author,
    }
    if release.is_noisy:  # the digest and the rows of the source would be exact figures about it
        names = ("tables", "charge", "withheld_below")
        return {**whole, **{name: report[name] for name in names}, "confidence": repr(CONFIDENCE)}
    return {
        **whole,
        "source": {
            "sha256": release.table.sha256,
            "rows": release.table.rows,
            "data_set": release.table.source or None,
            "taken_at": release.table.uploaded_at.isoformat(),
        },
        "loss": _texts({"ncp": result["ncp"], "of_columns": result["loss"], "queries": report["queries"]}),
        "risk": _texts({**result["risk"], "smallest_class": result["smallest_class"]}),
        "before": _texts({name: figures[name] for name in ("unique_before", "smallest_before", "classes_before")}),
        "actions": _texts(report.get("actions", [])),
        "linked": _texts(report.get("linked")),
        "pseudonymous": report.get("pseudonymous"),
        "overlaps": figures["overlaps"],
        "attacks": _texts(figures.get("attacks", [])),
    }


def _texts(value: Any) -> Any:
    """Return a document without fractions: canonical JSON has none."""
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(each) for each in value]
    return repr(round(value, 6)) if isinstance(value, float) else value


def _signed(release: TableRelease, verdict: gate.Verdict) -> str:
    if release.decision is None or release.published_at is None or release.expires_at is None:
        raise ReleaseRefused("Nothing is published without an approval.")
    said = {
        **(release.document or {}),
        "approved": {
            "digest": release.digest,
            "by": release.decision.actor,
            "is_single": release.decision.is_single,
            "revision": verdict.revision,
        },
        "published_at": release.published_at.isoformat(),
        "expires_at": release.expires_at.isoformat(),
    }
    return signing.sign(canonical_json(said), typ=TYP)
