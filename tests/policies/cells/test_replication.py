"""Rules and registers go from the primary cell to the others: signed, newer than before, whole or not at all."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils import timezone

from audit import jws, signing
from audit.models import AuditEvent
from consent.models import Notice, Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from governance.demo.traces import spellings
from governance.monitoring import health
from model_registry import services
from model_registry.models import Model
from oversight import registers as change_sets
from oversight.problems import KeptElsewhere
from policies.bundles import publishing
from policies.cells import registers, replication
from policies.cells import release as release_module
from policies.cells.release import TYP, rules_digest, write_release
from policies.cells.replication import NotFollowed, follow
from policies.endpoints import credentials
from policies.models import Activation, AppliedRelease, Policy, Region, ResidencyRule
from tests.helpers import models
from tests.helpers.fake_cell import FakeCell
from tests.helpers.wsgi_calls import assert_problem, call
from tests.policies.cells.test_cell_router import EU_PERSON

Become = Callable[..., None]
_RULE = "eea-in-uk"


def rules() -> str:
    last = publishing.last_activation()
    assert last is not None
    return rules_digest(last.policy, certification=False)


@pytest.fixture
def primary(shop_token: str, become: Become, eu: FakeCell) -> str:
    """A release of this installation as the primary cell, which the fake one answers with from here on: this is us."""
    release = write_release("eu", timezone.now())
    eu.answer = {"release": release}
    become("us", {"eu": eu.url}, keys=signing.published_keys())
    return release


def payload(release: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(jws.decode(release.split(".")[1]))
    return content


def resigned(release: str, **changes: Any) -> str:
    """The same release as the primary would have signed it, with other members."""
    document = {**payload(release), **changes}
    if "content" in changes:
        document["digest"] = release_module._digest(document["content"])
    return signing.sign(json.dumps(document).encode(), typ=TYP)


def test_another_cell_comes_to_decide_by_the_same_rules(primary: str, eu: FakeCell) -> None:
    before = rules()
    ResidencyRule.objects.filter(slug=_RULE).delete()
    ResidencyRule.objects.create(slug="mine", subject_group="eea", processing_group="us", data_categories=["*"])
    Region.objects.create(code="ZZ", name="Z", group="us", jurisdiction=Region.objects.first().jurisdiction)
    Purpose.objects.filter(slug="newsletter").update(name="Other", max_level="individual")
    Purpose.objects.create(slug="mine", name="Mine", benefit="None")
    publishing.publish("changes of this cell", "officer:us")
    assert rules() != before

    applied = follow()

    assert rules() == before
    assert applied is not None
    assert ResidencyRule.objects.get(slug=_RULE).instrument.slug == "eu-uk-adequacy"
    assert not ResidencyRule.objects.filter(slug="mine").exists()
    assert not Region.objects.filter(code="ZZ").exists()
    assert Purpose.objects.get(slug="newsletter").name == "Newsletter"
    assert Purpose.objects.get(slug="mine").is_active is False
    assert AuditEvent.objects.get(action="release.applied").actor == "cell:eu"
    [asked] = eu.asked
    assert (asked.path, asked.body) == (replication.PATH, None)


def test_an_empty_register_is_filled(primary: str) -> None:
    document = payload(primary)["content"]["registers"]
    ResidencyRule.objects.all().delete()
    Region.objects.all().delete()

    follow()

    assert registers.write_registers() == document


def test_following_again_changes_nothing_and_is_remembered(primary: str, eu: FakeCell) -> None:
    first = follow()
    activations = Activation.objects.count()
    eu.answer = {"release": resigned(primary, issued_at=timezone.now().isoformat())}

    second = follow()

    assert first is not None
    assert second is not None
    assert Activation.objects.count() == activations
    assert second.applied_at == first.applied_at
    assert second.confirmed_at > first.confirmed_at


def test_a_change_of_this_cell_is_undone_by_the_next_pull(primary: str, eu: FakeCell) -> None:
    follow()
    before = rules()
    ResidencyRule.objects.create(slug="mine", subject_group="eea", processing_group="us", data_categories=["*"])
    publishing.publish("change of this cell", "officer:us")
    eu.answer = {"release": resigned(primary, issued_at=timezone.now().isoformat())}

    follow()

    assert rules() == before
    assert not ResidencyRule.objects.filter(slug="mine").exists()


def test_models_stay_each_cells_own(primary: str) -> None:
    model = Model.objects.create(slug="mine", name="Mine")
    version = services.register_version(
        model=model, purposes=[Purpose.objects.get(slug="recommendations")], actor="test"
    )

    models.go_live(version)

    follow()

    last = publishing.last_activation()
    assert last is not None
    assert str(version) in publishing.assemble(last.policy)[1]["models"]
    assert "models" not in json.dumps(list(payload(primary)["content"]["registers"]))


def test_no_person_is_in_a_release(shop_token: str, become: Become) -> None:
    become("eu")
    body = {"subject": {"id": EU_PERSON, "region": "DE"}, "choices": [{"purpose": "recommendations", "choice": "give"}]}
    assert call(body, shop_token, path="/api/v1/consents").status == 201

    told = json.dumps(payload(write_release("eu", timezone.now())))

    for word in spellings(EU_PERSON, [subject_ref(EU_PERSON), subject_ref("customer-1")]):
        assert word not in told


def _other_key(release: str) -> str:
    return jws.sign(jws.decode(release.split(".")[1]), Ed25519PrivateKey.generate(), typ=TYP)


def _changed(release: str) -> str:
    head, _, signature = release.split(".")
    document = payload(release)
    document["content"]["registers"]["residencyrule"] = []
    return f"{head}.{jws.encode(json.dumps(document).encode())}.{signature}"


def _with_content(**changes: Any) -> Callable[[str], str]:
    return lambda release: resigned(release, content={**payload(release)["content"], **changes})


def _with_register(name: str, change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[str], str]:
    def changed(release: str) -> str:
        content = payload(release)["content"]
        change(content["registers"][name])
        return resigned(release, content=content)

    return changed


REFUSED = [
    ("another key", _other_key, "not among the trusted keys"),
    ("changed after signing", _changed, "does not match"),
    ("another kind", lambda r: signing.sign(jws.decode(r.split(".")[1]), typ="opa-bundle+jwt"), "another kind"),
    ("no release", lambda _: "nonsense", "not a signed document"),
    ("another cell's", lambda r: resigned(r, cell="uk"), "no release of the primary"),
    ("another digest", lambda r: resigned(r, digest="sha256:0"), "not what its digest says"),
    ("future", lambda r: resigned(r, issued_at=(timezone.now() + timedelta(hours=1)).isoformat()), "from the future"),
    ("long ago", lambda r: resigned(r, issued_at=(timezone.now() - timedelta(days=1)).isoformat()), "too long ago"),
    ("other rules", _with_content(rules="sha256:0"), "come out differently"),
    ("other registers", _with_content(registers={}), "other registers"),
    ("a rule more", _with_register("residencyrule", lambda rows: rows.pop()), "come out differently"),
    ("a member more", _with_register("region", lambda rows: rows[0].update(more=1)), "other members"),
    ("nobody's law", _with_register("region", lambda rows: rows[0].update(jurisdiction="no")), "not there"),
]


@pytest.mark.parametrize(("change", "sentence"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_not_the_primarys_own_news_changes_nothing(
    primary: str, eu: FakeCell, change: Callable[[str], str], sentence: str
) -> None:
    ResidencyRule.objects.filter(slug=_RULE).delete()
    publishing.publish("change of this cell", "officer:us")
    before = (rules(), registers.write_registers(), Activation.objects.count())
    eu.answer = {"release": change(primary)}

    with pytest.raises(NotFollowed, match=sentence):
        follow()

    assert (rules(), registers.write_registers(), Activation.objects.count()) == before
    assert not AppliedRelease.objects.exists()


def test_an_older_release_is_refused_though_genuine(primary: str, eu: FakeCell) -> None:
    ResidencyRule.objects.filter(slug=_RULE).delete()
    eu.answer = {"release": write_release("eu", timezone.now() + timedelta(seconds=1))}
    publishing.publish("the rule is withdrawn", "officer:eu")
    eu.answer = {"release": write_release("eu", timezone.now() + timedelta(seconds=2))}
    follow()

    eu.answer = {"release": primary}
    with pytest.raises(NotFollowed, match="not newer"):
        follow()

    assert not ResidencyRule.objects.filter(slug=_RULE).exists()


def test_a_notice_is_never_rewritten(primary: str, eu: FakeCell) -> None:
    content = payload(primary)["content"]
    notice = next(row for row in content["registers"]["notice"] if row["purpose"] == "recommendations")
    notice.update(text="Another text.", text_sha256="0" * 64)
    eu.answer = {"release": resigned(primary, content=content)}

    with pytest.raises(NotFollowed, match="has another text here"):
        follow()


def test_purposes_and_notices_are_changed_in_the_primary_only(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    purpose = Purpose.objects.get(slug="recommendations")
    monkeypatch.setattr(change_sets, "_kept_by", "eu")

    with pytest.raises(KeptElsewhere, match="cell 'eu'"):
        register.publish_notice(purpose=purpose, text="Another text.", actor="officer:us")
    with pytest.raises(KeptElsewhere):
        register.save_purpose(purpose, actor="officer:us")

    assert Notice.objects.filter(purpose=purpose).count() == 1


@pytest.mark.parametrize("answer", [b"", b"[]", {"release": 7}, {}], ids=str)
def test_no_answer_is_no_release(primary: str, eu: FakeCell, answer: Any) -> None:
    eu.answer = answer

    with pytest.raises(NotFollowed):
        follow()


# --- the primary's side, and how old the rules may be -----------------------------------------------------------------


def test_only_a_cell_may_pull_and_only_from_the_primary(shop_token: str, become: Become) -> None:
    token, _ = credentials.create_credential(name="cell-us", scopes=["cells"], actor="test")
    narrow, _ = credentials.create_credential(name="narrow", scopes=["decisions"], actor="test")
    become("eu")

    told = call(b"", token, path=replication.PATH, method="GET")

    assert told.status == 200
    assert payload(told.json()["release"])["cell"] == "eu"
    assert_problem(call(b"", narrow, path=replication.PATH, method="GET"), 403, "forbidden")
    assert_problem(call(b"", None, path=replication.PATH, method="GET"), 401, "unauthenticated")
    become("us")
    assert_problem(call(b"", token, path=replication.PATH, method="GET"), 404, "not_found")


def test_the_primary_and_an_installation_of_its_own_follow_nobody(shop_token: str, become: Become) -> None:
    assert (follow(), replication.age_s()) == (None, None)
    become("eu")
    assert (follow(), replication.age_s()) == (None, None)


def test_readiness_tells_of_rules_that_are_too_old(primary: str) -> None:
    missing = "the primary cell's rules are not known to be in force"
    assert missing in health._state()[0]

    follow()
    assert missing not in health._state()[0]

    late = timezone.now() - timedelta(seconds=settings.READY_RULES_AGE_S + 1)
    AppliedRelease.objects.update(confirmed_at=late)
    assert missing in health._state()[0]


def test_a_policy_of_the_primary_comes_along(primary: str, eu: FakeCell) -> None:
    content = payload(primary)["content"]
    content["policy"] = {**content["policy"], "overlay": {"own": {"word": 1}}, "author": "officer:anna"}
    policy = Policy(**{name: content["policy"][name] for name in ("modules", "overlay")})
    content.update(kind="approved", rules=rules_digest(policy, certification=False))
    eu.answer = {"release": resigned(primary, content=content)}

    follow()

    last = publishing.last_activation()
    assert last is not None
    assert (last.kind, last.author, last.actor) == ("approved", "officer:anna", "cell:eu")
    assert last.policy.overlay == {"own": {"word": 1}}


def test_terms_go_before_the_notices_they_belong_to(primary: str, as_attacker: Any) -> None:
    terms = payload(primary)["content"]["registers"]["noticeterms"]
    document = payload(primary)["content"]["registers"]
    for row in document["purpose"]:
        row["data_categories"] = [*row["data_categories"], "location"]
    as_attacker("TRUNCATE consent_noticeterms")
    as_attacker("DELETE FROM consent_notice")

    registers.apply_registers(document)

    assert registers.write_registers()["noticeterms"] == terms


def test_terms_a_cell_has_frozen_stay(primary: str) -> None:
    document = payload(primary)["content"]["registers"]
    before = registers.write_registers()["noticeterms"]
    document["noticeterms"] = [{**row, "content": "{}"} for row in document["noticeterms"]]

    registers.apply_registers(document)

    assert registers.write_registers()["noticeterms"] == before
