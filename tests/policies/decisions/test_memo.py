"""What is remembered: answers of the engine, by facts and revision, as many as fit, and nothing about anybody."""

import tracemalloc
from typing import Any

import msgspec
import pytest

from common import policy_data
from consent.models import Purpose
from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate, facts, information, memo
from policies.decisions.memo import MIB, Memo
from policies.decisions.questions import Question
from policies.decisions.rendering import RenderedVerdict, render_verdict
from policies.endpoints.authzen import question_of
from policies.engines import Verdict
from policies.engines.base import QUERY
from policies.engines.embedded import EmbeddedEngine
from policies.models import ActiveBundle
from tests.helpers.wsgi_calls import call, changed, question


class CountingEngine(EmbeddedEngine):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, bytes]] = []

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        self.asked.append((bundle.revision, facts))
        return super().evaluate(bundle, facts, query)


@pytest.fixture
def engine(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> CountingEngine:
    counting = CountingEngine()
    monkeypatch.setattr(engines, "configured", lambda: counting)
    monkeypatch.setattr(loading, "_loaded", {})
    return counting


def _in_force() -> LoadedBundle:
    return loading.loaded(ActiveBundle.objects.get().bundle_id)


def _no_longer_recommended() -> None:
    """Publish a revision under which the same facts are denied."""
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.actions = ["collect"]
    purpose.save(update_fields=["actions"])
    policy_data.changed(reason="test", actor="test")


def test_the_same_facts_are_evaluated_once(engine: CountingEngine, shop_token: str) -> None:
    for _ in range(3):
        assert call(question(), shop_token).json()["decision"] is True

    assert len(engine.asked) == 1


def test_people_in_the_same_situation_share_an_answer(engine: CountingEngine, shop_token: str) -> None:
    assert call(question("stranger-1"), shop_token).json()["decision"] is False
    assert call(question("stranger-2"), shop_token).json()["decision"] is False

    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("action.name", "collect"),
        ("action.properties.purpose", "newsletter"),
        ("action.properties.requested_level", "segment"),
        ("resource.properties.data_categories", ["views"]),
        ("resource.properties.model", "basket@1"),
        ("subject.id", "stranger"),
        ("subject.properties", {"region": "FR"}),
        ("subject.properties", {"age_band": "child"}),
        ("context.processing_region", "us-east"),
        ("context.channel", "email"),
        ("context.signals", {"gpc": True}),
        ("context.signals", {"gpp_opt_out": True}),
    ],
)
def test_whatever_the_policy_may_look_at_is_evaluated_anew(
    engine: CountingEngine, shop_token: str, place: str, value: Any
) -> None:
    call(question(), shop_token)

    call(changed(place, value), shop_token)

    assert len({facts for _, facts in engine.asked}) == 2


def test_an_answer_is_never_used_under_another_revision(engine: CountingEngine, shop_token: str) -> None:
    before = _in_force()
    assert call(question(), shop_token).json()["decision"] is True

    _no_longer_recommended()

    answer = call(question(), shop_token).json()
    assert answer["decision"] is False
    assert answer["context"]["bundle_revision"] == _in_force().revision != before.revision
    assert [revision for revision, _ in engine.asked] == [before.revision, _in_force().revision]
    assert len({facts for _, facts in engine.asked}) == 1, "the facts were the same, the revision was not"
    assert {revision for (revision, _), _ in evaluate.VERDICTS.items()} == {before.revision, _in_force().revision}


def test_the_memo_of_verdicts_is_bounded_in_bytes(
    engine: CountingEngine, shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = _small(monkeypatch, evaluate, "VERDICTS")
    sizes = []

    for number in range(1, 24):
        call(changed("context.signals", {"tcf_purposes": [number]}), shop_token)
        sizes.append(len(small))

    assert 3 < max(sizes) < 23
    assert len(engine.asked) == 23
    assert call(question(), shop_token).json()["decision"] is True


def test_the_memo_of_entities_is_bounded_in_bytes(records_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small = _small(monkeypatch, evaluate, "ENTITY_VERDICTS")
    for number in range(64):
        body = {"subject": {"type": "user", "id": f"u{number}"}, "action": {"name": "read"}}
        call({**body, "resource": {"type": "record", "id": "record-1"}}, records_token)

    assert 3 < len(small) < 64


def _small(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Memo[Any, Any]:
    """Put a memo in place that holds a handful of verdicts, each of them small enough for it."""
    monkeypatch.setattr(memo, "_LARGEST_PART", 1)
    small: Memo[Any, Any] = Memo(64 * 1024, getattr(module, name)._size_of)
    monkeypatch.setattr(module, name, small)
    return small


def test_what_a_memo_forgets_is_the_oldest() -> None:
    small: Memo[int, bytes] = Memo(6_400, lambda _key, value: len(value))
    for number in range(100):
        small.remember(number, bytes(100))

    assert small.get(99) is not None
    assert [key for key, _ in small.items()] == list(range(100 - len(small), 100))
    assert 48 <= len(small) <= 64


def test_a_memo_keeps_no_entry_that_would_displace_many() -> None:
    small: Memo[int, bytes] = Memo(6_400, lambda _key, value: len(value))
    small.remember(1, bytes(100))

    small.remember(2, bytes(101))

    assert [key for key, _ in small.items()] == [1]


def test_the_memos_hold_no_more_memory_than_they_say(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the interpreter counts it: the largest kinds of request, and as many as fit several times over."""
    known = information.read(question_of(question()).subject_ref)
    bundle = loading.loaded(known.bundle_revision or "")
    held: Memo[Any, bytes] = Memo(MIB, facts.REQUEST_MEMBERS._size_of)
    monkeypatch.setattr(facts, "REQUEST_MEMBERS", held)
    facts.build(_wordy(0, 1, 8), known, bundle, 0)
    held.clear()

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(3_000):
            facts.build(_wordy(number, 1 + number % 20, 8), known, bundle, 0)
        for number in range(10):
            facts.build(_wordy(number, 60_000, 512), known, bundle, 0)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert 100 < len(held) < 3_000
    assert MIB // 8 < grown <= MIB


def _wordy(number: int, categories: int, length: int) -> Question:
    """Ask for kinds of data nobody has heard of, in words that no other question shares."""
    words = tuple(f"{number}-{each}-".ljust(length, "\u20ac") for each in range(categories))
    return msgspec.structs.replace(question_of(question()), data_categories=words)


def test_what_rendered_verdicts_take_is_not_underestimated(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held: Memo[Any, RenderedVerdict] = Memo(MIB, evaluate.VERDICTS._size_of)
    call(question(), shop_token)
    ((_, rendered),) = evaluate.VERDICTS.items()
    answer = msgspec.json.encode(rendered.verdict)

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(2_000):
            document = rendered.facts.replace(b"{", b'{"n":%d,' % number, 1)
            another = render_verdict(msgspec.json.decode(answer, type=Verdict), document, "embedded")
            held.remember((another.verdict.revision, document), another)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert len(held) < 2_000
    assert MIB // 8 < grown <= MIB


def test_only_the_newest_revisions_are_kept(engine: CountingEngine, shop_token: str) -> None:
    purpose = Purpose.objects.get(slug="newsletter")
    for number in range(loading._KEPT + 4):
        purpose.data_categories = [f"category_{number}"]
        purpose.save(update_fields=["data_categories"])
        policy_data.changed(reason="test", actor="test")
        assert call(question(), shop_token).status == 200

    assert len(loading._loaded) <= loading._KEPT
    assert ActiveBundle.objects.get().bundle_id in loading._loaded
