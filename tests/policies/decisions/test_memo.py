"""What is remembered: answers of the engine, by facts and revision, as many as fit, and nothing about anybody."""

from typing import Any

import pytest

from common import policy_data
from consent.models import Purpose
from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate
from policies.engines import Verdict
from policies.engines.embedded import EmbeddedEngine
from policies.models import ActiveBundle
from tests.helpers.wsgi_calls import call, changed, question


class CountingEngine(EmbeddedEngine):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, bytes]] = []

    def evaluate(self, bundle: LoadedBundle, facts: bytes) -> Verdict:
        self.asked.append((bundle.revision, facts))
        return super().evaluate(bundle, facts)


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
    assert before.memo is not _in_force().memo


def test_the_memo_is_bounded(engine: CountingEngine, shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "MEMO_SIZE", 8)
    sizes = []

    for number in range(1, 24):
        call(changed("context.signals", {"tcf_purposes": [number]}), shop_token)
        sizes.append(len(_in_force().memo))

    assert max(sizes) == 8
    assert len(engine.asked) == 23
    assert call(question(), shop_token).json()["decision"] is True


def test_the_memo_of_entities_is_bounded_too(records_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(evaluate, "ENTITY_MEMO_SIZE", 4)
    for number in range(9):
        body = {"subject": {"type": "user", "id": f"u{number}"}, "action": {"name": "read"}}
        call({**body, "resource": {"type": "record", "id": "record-1"}}, records_token)

    assert 0 < len(_in_force().entity_memo) <= 4


def test_only_the_newest_revisions_are_kept(engine: CountingEngine, shop_token: str) -> None:
    purpose = Purpose.objects.get(slug="newsletter")
    for number in range(loading._KEPT + 4):
        purpose.data_categories = [f"category_{number}"]
        purpose.save(update_fields=["data_categories"])
        policy_data.changed(reason="test", actor="test")
        assert call(question(), shop_token).status == 200

    assert len(loading._loaded) <= loading._KEPT
    assert ActiveBundle.objects.get().bundle_id in loading._loaded
