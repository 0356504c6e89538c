"""Replay logged decisions against a candidate. Pure over its arguments: neither database nor clock is read.

Most decisions repeat. Entries that end alike, from the outcome on (``answers.compose``), were answered alike from equal
facts: they are counted, and each fact sheet is evaluated once. Memory stays bounded: when enough different entries
have come together they are settled, and only digests and answers are remembered.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec

from policies.decision_log.differences import CandidateUnusable, ComparedAnswer, differences, obligations_of, of_verdict
from policies.engines.base import Reason, Verdict
from policies.engines.replayer import FAILED, Rules
from policies.simulation.processes import PATIENCE_S, PROCESSES, Replayers
from policies.simulation.refit import Refitting, refit
from policies.simulation.report import ReplayReport, Tally

_HEAD = re.compile(
    r'\{"id":"([0-9a-f-]{36})","at_us":(\d+),"caller":"(?:[^"\\]|\\.)*","subject":"[0-9a-f]*","subject_revision":\d+,'
    r'"duration_us":\d+,(?="outcome":)'
)
_SETTLE_AT = 20_000  # different entries; a fact sheet has about a kilobyte
_REMEMBERED = 200_000  # fact sheets
_HOUR_S, _DAY_S = 3600, 86_400
Progress = Callable[[int], None]
PurposesOf = Callable[[str], Mapping[str, Any] | None]


class _Logged(msgspec.Struct):
    """The part of an entry that is read, from the outcome on."""

    outcome: str
    reasons: list[Reason]
    facts: msgspec.Raw
    engine: str = ""
    level: str | None = None
    obligations: list[dict[str, Any]] = []
    bundle_revision: str = ""


class _Whole(_Logged):
    id: str = ""
    at_us: int = 0


@dataclass(slots=True)
class _Group:
    """Equal entries, until they are settled."""

    example_id: str
    example_us: int
    times: dict[int, int] = field(default_factory=dict)


_OUTCOMES = frozenset({"permit", "deny", "unknown"})
_UNREADABLE: Final = ComparedAnswer("unknown", None, ("engine_undefined",), frozenset())
_read_logged = msgspec.json.Decoder(_Logged).decode
_read_whole = msgspec.json.Decoder(_Whole).decode
_read_verdict = msgspec.json.Decoder(Verdict).decode


def check(candidate: Rules) -> None:
    """Raise CandidateUnusable, with the engine's message, if the rules cannot be loaded or have no answer to give."""
    with Replayers([candidate], count=1) as replayers:
        (said,) = next(replayers.ask([(b"{}", False)]))
    # "Undefined" for no facts is an answer of rules that can be used.
    if said.startswith(FAILED) and b"gave no answer" not in said and b"is not a decision" not in said:
        raise CandidateUnusable(f"The candidate cannot be used. The engine says: {said[1:].decode()}")


def replay(
    entries: Iterable[str],
    *,
    candidate: Rules,
    base: Rules,
    since: datetime,
    until: datetime,
    examples: int = 5,
    processes: int = PROCESSES,
    patience_s: float = PATIENCE_S,
    progress: Progress | None = None,
    is_refitted: bool = False,
    purposes_of: PurposesOf = lambda _revision: None,
) -> ReplayReport:
    """Return what the candidate would have answered. ``entries`` are lines of the log, in any order.

    ``base`` is the revision in force. ``progress`` is called with the number of entries read, about every thousand.
    ``is_refitted``: each side is asked about the facts as its own registers make them, for a change of registers.
    ``purposes_of``: the purposes of an older revision, None for one that is not known; then those in force count.
    Raises CandidateUnusable.
    """
    check(candidate)
    started = time.monotonic()
    with Replayers([candidate, base], count=processes, patience_s=patience_s) as replayers:
        run = _Run(replayers, base.revision, examples=examples, piece_s=piece_of(until - since))
        if is_refitted:
            now = until.timestamp()
            run.purposes_of = purposes_of
            run.over = tuple(Refitting.over(rules, agreed=base, now=now) for rules in (candidate, base))
        for number, entry in enumerate(entries, start=1):
            run.take(entry)
            if progress and number % 1000 == 0:
                progress(number)
        run.settle()
    return ReplayReport(
        candidate=candidate.revision,
        base=base.revision,
        since=since,
        until=until,
        decisions=run.decisions,
        distinct=run.distinct,
        skipped=dict(run.skipped),
        unreadable=run.unreadable,
        unreadable_examples=run.unreadable_examples,
        in_force=run.in_force.comparison(run.piece_s),
        as_answered=run.as_answered.comparison(run.piece_s),
        seconds=time.monotonic() - started,
    )


def piece_of(window: timedelta) -> int:
    """Return the seconds a column of the plot over time stands for."""
    return _HOUR_S if window <= timedelta(days=2) else _DAY_S


class _Run:
    def __init__(self, replayers: Replayers, base: str, *, examples: int, piece_s: int) -> None:
        self._replayers, self._base, self._at_most = replayers, base, examples
        self.piece_s = piece_s
        self._piece_us = piece_s * 1_000_000
        self._groups: dict[str, _Group] = {}
        self._answers: dict[bytes, tuple[ComparedAnswer, ComparedAnswer | None, str]] = {}
        self._known: dict[bytes, ComparedAnswer] = {}
        self.over: tuple[Refitting, ...] = ()  # of the candidate and of the base, where facts are refitted
        self.purposes_of: PurposesOf = lambda _revision: None
        self._over_of: dict[str, tuple[Refitting, ...]] = {}  # the same, by the revision that answered
        self.decisions = self.distinct = self.unreadable = 0
        self.skipped: Counter[str] = Counter({"other_packages": 0, "without_facts": 0, "not_an_entry": 0})
        self.unreadable_examples: list[dict[str, Any]] = []
        self.in_force, self.as_answered = Tally(examples=examples), Tally(examples=examples)

    def take(self, entry: str) -> None:
        self.decisions += 1
        head = _HEAD.match(entry)
        if head:
            tail, at_us = entry[head.end() :], int(head[2])
        else:
            # Written otherwise than today: read it as a whole, alone in its group.
            tail, at_us = entry, 0
        group = self._groups.get(tail)
        if group is None:
            if len(self._groups) >= _SETTLE_AT:
                self.settle()
            group = self._groups[tail] = _Group(head[1] if head else "", at_us)
        piece = at_us // self._piece_us
        group.times[piece] = group.times.get(piece, 0) + 1

    def settle(self) -> None:
        """Evaluate the collected entries, count them, and forget them."""
        readable: list[tuple[_Logged, _Group, bytes, bytes | None]] = []
        asked: dict[bytes, tuple[bytes, bool]] = {}
        for tail, group in self._groups.items():
            logged = self._readable(tail, group)
            if logged is None:
                continue
            facts = _completed(logged)
            for_candidate, for_base = self._refitted(facts, logged.bundle_revision)
            # Facts and revision make the answer, so what was logged under the rules in force need not be asked again.
            needs_base = logged.bundle_revision != self._base or logged.engine == "none" or for_base != facts
            digest = self._ask(asked, for_candidate, needs_base=False)
            base = self._ask(asked, for_base, needs_base=True) if needs_base else None
            readable.append((logged, group, digest, base))
        self._groups = {}
        if len(self._answers) + len(asked) > _REMEMBERED:
            still = {digest for _, _, *both in readable for digest in both}
            self._answers = {digest: answer for digest, answer in self._answers.items() if digest in still}
        for digest, answers in zip(asked, self._replayers.ask(asked.values()), strict=True):
            self.distinct += digest not in self._answers
            self._answers[digest] = self._read(answers)
        for logged, group, digest, base in readable:
            self._count(logged, group, digest, base)

    def _refitted(self, facts: bytes, revision: str) -> tuple[bytes, bytes]:
        """Return the facts as the registers of the candidate and of the base make them."""
        if not self.over:
            return facts, facts
        candidate, base = self._over(revision)
        return refit(facts, candidate), refit(facts, base)

    def _over(self, revision: str) -> tuple[Refitting, ...]:
        """Return both sides for yeses that were logged under a revision; those in force where it is not known."""
        if revision not in self._over_of:
            purposes = None if revision == self._base else self.purposes_of(revision)
            self._over_of[revision] = (
                self.over if purposes is None else tuple(side.agreed_in(purposes) for side in self.over)
            )
        return self._over_of[revision]

    def _ask(self, asked: dict[bytes, tuple[bytes, bool]], facts: bytes, *, needs_base: bool) -> bytes:
        """Put facts among those to ask about unless their answers are known; return their digest."""
        digest = blake2b(facts, digest_size=16).digest()
        known = self._answers.get(digest)
        if known is None or (needs_base and known[1] is None):
            asked[digest] = (facts, needs_base or asked.get(digest, (facts, False))[1])
        return digest

    def _readable(self, tail: str, group: _Group) -> _Logged | None:
        count = sum(group.times.values())
        try:
            if group.example_id:
                logged = _read_logged("{" + tail)
            else:
                whole = _read_whole(tail)
                group.example_id, group.example_us = whole.id, whole.at_us
                group.times = {whole.at_us // self._piece_us: count}
                logged = whole
            facts = msgspec.json.decode(logged.facts)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.skipped["not_an_entry"] += count
            return None
        if logged.outcome not in _OUTCOMES:
            self.skipped["not_an_entry"] += count
            return None
        if not isinstance(facts, dict) or not facts:
            self.skipped["without_facts"] += count
            return None
        if "package" in facts:
            self.skipped["other_packages"] += count
            return None
        return logged

    def _read(self, answers: list[bytes]) -> tuple[ComparedAnswer, ComparedAnswer | None, str]:
        said = answers[0][1:].decode(errors="replace") if answers[0].startswith(FAILED) else ""
        return self._answer(answers[0]), self._answer(answers[1]) if len(answers) > 1 else None, said

    def _answer(self, said: bytes) -> ComparedAnswer:
        if said.startswith(FAILED):
            return _UNREADABLE
        answer = self._known.get(said)
        if answer is None:
            if len(self._known) > _SETTLE_AT:
                self._known = {}
            answer = self._known[said] = of_verdict(_read_verdict(said))
        return answer

    def _count(self, logged: _Logged, group: _Group, digest: bytes, base: bytes | None) -> None:
        after, _, said = self._answers[digest]
        facts = msgspec.json.decode(logged.facts)
        example = {
            "decision_id": group.example_id,
            "at": datetime.fromtimestamp(group.example_us / 1_000_000, tz=UTC).isoformat(),
            "facts": facts,
        }
        if after is _UNREADABLE:
            self.unreadable += sum(group.times.values())
            if len(self.unreadable_examples) < self._at_most:
                self.unreadable_examples.append({**example, "engine": said[:500]})
            return
        before = _as_logged(logged)
        in_force = self._answers[base][1] if base is not None else before
        values = _values(facts)
        for tally, then in ((self.as_answered, before), (self.in_force, in_force)):
            then = then or _UNREADABLE
            kinds = differences(then, after)
            tally.add(kinds, times=group.times, values=values, before=then, after=after, example=example)


def _completed(logged: _Logged) -> bytes:
    """Return the facts with the member that entries from before frozen terms lack: nothing was unagreed then.

    What was answered as unreadable lacks it by mistake, and stays as it is.
    """
    facts = bytes(logged.facts)
    if b'"unagreed_categories":' in facts or any(reason.detail == "unreadable" for reason in logged.reasons):
        return facts
    document = msgspec.json.decode(facts)
    consent = document.get("consent")
    if isinstance(consent, dict):
        consent["unagreed_categories"] = []
    return msgspec.json.encode(document)


def _as_logged(logged: _Logged) -> ComparedAnswer:
    return ComparedAnswer(
        logged.outcome,
        logged.level,
        tuple(reason.code for reason in logged.reasons),
        obligations_of((o.get("type", ""), o.get("properties", {})) for o in logged.obligations),
    )


def _values(facts: dict[str, Any]) -> dict[str, str]:
    """Return where a decision belongs in the breakdowns. Facts were validated when logged, but not by this code."""
    subject, model = facts.get("subject"), facts.get("model")
    subject = subject if isinstance(subject, dict) else {}
    return {
        "purpose": str(facts.get("purpose", "")),
        "action": str(facts.get("action", "")),
        "region": str(subject.get("region", "")),
        "jurisdiction": str(subject.get("jurisdiction", "")),
        "model": f"{model.get('id')}@{model.get('version')}" if isinstance(model, dict) else "",
    }
