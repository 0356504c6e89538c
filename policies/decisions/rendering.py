"""Rendered answers and log lines: a verdict written out once, completed for each answer."""

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from common.identifiers import uuid7_text
from policies.bundles.reasons import outcome_of
from policies.engines import Verdict
from policies.engines.base import Reason

_FIRST_DAY = date(1970, 1, 1)
NO_FACTS = b"{}"  # what a failure knows that came before the facts
NO_ENGINE = "none"  # a failure is a denial that no policy decided


class RenderedVerdict(msgspec.Struct, frozen=True):
    """A rendered verdict: everything that does not change from one answer to the next is written out."""

    verdict: Verdict
    outcome: str
    facts: bytes
    digest: str
    answer: bytes  # members of the answer's context
    log: bytes  # members of the log entry
    engine: str
    warnings: tuple[str, ...] = ()  # codes; in the answer only


class Decision(msgspec.Struct, frozen=True):
    """An answered decision. ``body`` is the AuthZEN document; the rest is for callers in this process."""

    id: str
    rendered: RenderedVerdict
    subject_revision: int
    valid_until: float | None
    bundle_revision: str
    body: bytes
    candidate: str | None = None  # the revision of the rollout at this decision

    @property
    def repeatable_body(self) -> bytes:
        """The document without its id, which the log keeps: the same question, the same bytes."""
        return self.body.replace(b'"decision_id":"%s",' % self.id.encode(), b"", 1)

    @property
    def permitted(self) -> bool:
        return self.rendered.verdict.decision

    @property
    def level(self) -> str:
        return self.rendered.verdict.level or "none"

    @property
    def reasons(self) -> list[str]:
        return [reason.code for reason in self.rendered.verdict.reasons]


def failure(code: str, revision: str, document: bytes = NO_FACTS) -> RenderedVerdict:
    """Return the denial for any failure on the decision path."""
    verdict = Verdict(
        revision=revision,
        decision=False,
        level="none",
        reasons=[Reason(code)],
        obligations=[],
        legal_basis=None,
        requestable=False,
    )
    return render_verdict(verdict, document, NO_ENGINE)


_encode = msgspec.json.Encoder().encode


def render_verdict(verdict: Verdict, document: bytes, engine: str) -> RenderedVerdict:
    """Render what does not change from one answer to the next."""
    codes = [reason.code for reason in verdict.reasons]
    outcome = outcome_of(verdict.decision, codes)
    obligations = [
        {"id": f"o{number}", "type": o.type, "properties": o.properties}
        for number, o in enumerate(verdict.obligations, start=1)
    ]
    shared: dict[str, Any] = {"reasons": verdict.reasons, "obligations": obligations}
    if verdict.level is not None:
        shared = {"level": verdict.level, **shared}
    if verdict.legal_basis is not None:
        shared["legal_basis"] = verdict.legal_basis
    if verdict.revision:
        shared["bundle_revision"] = verdict.revision
    digest = blake2b(document, digest_size=16).hexdigest()
    log = {"outcome": outcome, "engine": engine, "facts_digest": digest, **shared, "facts": msgspec.Raw(document)}
    return RenderedVerdict(verdict, outcome, document, digest, _members(shared), _members(log), engine)


def warned(rendered: RenderedVerdict, *codes: str) -> RenderedVerdict:
    """Return the verdict with warnings in its answer; the log has what was decided and stays as it is."""
    answer = b"%s,%s" % (rendered.answer, _members({"warnings": codes}))
    return msgspec.structs.replace(rendered, answer=answer, warnings=codes)


def joined(rendered: RenderedVerdict, other: RenderedVerdict, duties: Collection[str]) -> RenderedVerdict:
    """Return the verdict with the duties of some types that another one has as well; the log stays as it is."""
    own = rendered.verdict.obligations
    more = [each for each in other.verdict.obligations if each.type in duties and each not in own]
    if not more:
        return rendered
    verdict = msgspec.structs.replace(rendered.verdict, obligations=[*own, *more])
    whole = render_verdict(verdict, rendered.facts, rendered.engine)
    return msgspec.structs.replace(whole, log=rendered.log)


def _members(value: dict[str, Any]) -> bytes:
    return _encode(value)[1:-1]


def compose(
    rendered: RenderedVerdict,
    *,
    caller: str,
    subject: bytes,
    subject_revision: int,
    valid_until: float | None,
    at: float,
    duration_us: int,
    shadow: bytes = b"",
    candidate: str | None = None,
) -> tuple[Decision, bytes]:
    """Complete an answer and its line for the log; ``subject`` is the person's pseudonym of the month.

    ``shadow`` is a member of the line alone: what a candidate would have said instead.
    """
    decision_id = uuid7_text()
    identity = decision_id.encode()
    ends = b""
    if valid_until is not None:
        ends = b',"valid_until":"%s"' % _timestamp(valid_until)
    body = b'{"decision":%s,"context":{"decision_id":"%s",%s,"subject_revision":%d%s}}' % (
        b"true" if rendered.verdict.decision else b"false",
        identity,
        rendered.answer,
        subject_revision,
        ends,
    )
    line = b'{"id":"%s","at_us":%d,"caller":%s,"subject":"%s","subject_revision":%d,"duration_us":%d,%s%s}\n' % (
        identity,
        int(at * 1_000_000),
        _encode(caller),
        subject,
        subject_revision,
        duration_us,
        shadow,
        rendered.log,
    )
    decision = Decision(
        decision_id, rendered, subject_revision, valid_until, rendered.verdict.revision, body, candidate
    )
    return decision, line


def difference(answered: RenderedVerdict, candidate: RenderedVerdict) -> bytes:
    """Return a candidate's different answer as a member of the log's line; nothing where both are equal."""
    before, after = answered.verdict, candidate.verdict
    if (
        before.decision == after.decision
        and before.level == after.level
        and before.reasons == after.reasons
        and before.obligations == after.obligations
    ):
        return b""
    shadow = {
        "revision": after.revision,
        "outcome": candidate.outcome,
        "level": after.level,
        "reasons": after.reasons,
        "obligations": after.obligations,
    }
    return b'"shadow":%s,' % _encode(shadow)


def _timestamp(epoch: float) -> bytes:
    """Return the moment as RFC 3339 has it: ``datetime`` takes three times as long."""
    days, second = divmod(int(epoch), 86_400)
    return b"%sT%02d:%02d:%02dZ" % (_date(days), second // 3_600, second // 60 % 60, second % 60)


@lru_cache(maxsize=1_024)
def _date(days: int) -> bytes:
    return (_FIRST_DAY + timedelta(days)).isoformat().encode()
