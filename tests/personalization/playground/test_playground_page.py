"""Page of the playground: its form, what it refuses, what it says side by side, and its trace in the audit trail."""

from typing import Any

import pytest

from audit.models import AuditEvent
from governance.officers.roles import with_right
from model_registry.models import ModelVersion
from personalization.playground import pages
from policies.models import ActiveBundle, DisplayRule
from tests.helpers.officers import signed_in, with_role
from tests.personalization.conftest import SHOP
from tests.personalization.playground.test_playing import BESIDE, rule

__all__ = ["rule"]
pytestmark = pytest.mark.django_db
PAGE = "/admin/recommender-playground"


def _form(*deeds: dict[str, Any], **person: Any) -> dict[str, Any]:
    empty = [{"item": "", "kind": "like", "value": ""}] * (8 - len(deeds))
    lines = {f"deed-{row}-{name}": value for row, deed in enumerate([*deeds, *empty]) for name, value in deed.items()}
    usual = {
        "purpose": "recommendations", "region": "DE", "age_band": "adult", "choice": "given", "most": "individual",
    }  # fmt: skip
    return {"deed-TOTAL_FORMS": 8, "deed-INITIAL_FORMS": 0, **usual, **lines, **person}


def _likes(*items: str) -> list[dict[str, Any]]:
    return [{"item": item, "kind": "like"} for item in items]


def _play(officer: Any, *deeds: dict[str, Any], **person: Any) -> str:
    answer = officer.post(PAGE, _form(*deeds, **person))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_each_level_stands_beside_the_others_with_its_reasons(officer: Any, deployed: ModelVersion) -> None:
    page = _play(officer, *_likes(*(item.id for item in SHOP.items[:4])))

    assert "What the rules permit: Personal" in page
    assert page.count("<article") == 5
    for name in ("General", "Group", "Recent", "This visit", "Personal"):
        assert f">{name}</h3>" in page
    assert page.count("What this person gets") == 1
    assert "Because of " in page
    assert "Popular with other people" in page


def test_a_rule_that_hides_alcohol_from_a_minor_is_linked(officer: Any, deployed: ModelVersion, rule: None) -> None:
    page = _play(officer, *_likes(*BESIDE), age_band="minor")

    assert "What the rules permit: General" in page
    assert "The person is a minor" in page
    assert "<h4>Hidden</h4>" in page
    address = f"/admin/policies/displayrule/{DisplayRule.objects.get().pk}/change/"
    assert f'<a href="{address}">alcohol</a>' in page
    assert officer.get(address).status_code == 200


def test_the_audit_trail_says_that_an_officer_played_and_not_what(officer: Any, deployed: ModelVersion) -> None:
    _play(officer, *_likes(SHOP.items[0].id), age_band="minor", region="FR")

    [event] = AuditEvent.objects.filter(action="recommender.played")
    assert event.actor.startswith("officer:")
    assert event.details == {"purpose": "recommendations"}


def test_a_look_at_the_form_leaves_no_trace(officer: Any, deployed: ModelVersion) -> None:
    for query in ("", "?example=adult", "?example=minor", "?example=new", "?example=nonsense"):
        assert officer.get(f"{PAGE}{query}").status_code == 200

    assert not AuditEvent.objects.filter(action="recommender.played").exists()


def test_an_example_fills_the_form(officer: Any, deployed: ModelVersion) -> None:
    page = officer.get(f"{PAGE}?example=minor").content.decode()

    assert '<option value="minor" selected>' in page
    assert '<option value="" selected>Not known' not in page, "of an unknown region the strictest rules are tried"
    assert f'name="deed-2-item" value="{SHOP.items[2].id}"' in page


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ({"item": "no-such-thing", "kind": "like"}, "The catalogue has no such item."),
        ({"item": SHOP.items[0].id, "kind": "rating"}, "A rating has 1 to 5 stars."),
        ({"item": SHOP.items[0].id, "kind": "rating", "value": "9"}, "A rating has 1 to 5 stars."),
        ({"item": SHOP.items[0].id, "kind": "dwell", "value": "-4"}, "greater than or equal to 1"),
        ({"item": SHOP.items[0].id, "kind": "dwell", "value": "14401"}, "less than or equal to 14400"),
        ({"item": SHOP.items[0].id, "kind": "stolen"}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    officer: Any, deployed: ModelVersion, deed: dict[str, Any], said: str
) -> None:
    page = _play(officer, deed)

    assert said in page
    assert 'role="alert"' in page
    assert 'aria-invalid="true"' in page
    assert "<article" not in page
    assert not AuditEvent.objects.filter(action="recommender.played").exists()


def test_a_person_of_nonsense_is_refused(officer: Any, deployed: ModelVersion) -> None:
    assert "Select a valid choice" in _play(officer, region="Atlantis")
    assert "Select a valid choice" in _play(officer, purpose="unheard_of")


def test_an_item_may_be_typed_by_its_title(officer: Any, deployed: ModelVersion) -> None:
    assert "<article" in _play(officer, {"item": SHOP.items[0].title, "kind": "like"})


def test_text_of_the_catalogue_is_escaped(officer: Any, deployed: ModelVersion) -> None:
    from personalization.models import Item

    Item.objects.update(title="<script>alert(1)</script>")

    assert "<script>alert(1)" not in _play(officer, *_likes(SHOP.items[0].id))


def test_without_a_revision_in_force_the_page_says_so(officer: Any, deployed: ModelVersion) -> None:
    ActiveBundle.objects.all().delete()

    assert "No revision of the policy is in force." in _play(officer)


def test_playing_is_a_right_of_its_own(deployed: ModelVersion) -> None:
    assert signed_in(with_role("mia", "marketing")).get(PAGE).status_code == 403
    assert signed_in(with_role("mo", "auditor")).post(PAGE, _form()).status_code == 403
    assert signed_in(with_role("olga", "model-owner")).post(PAGE, _form()).status_code == 200
    assert not {role.slug for role in with_right(pages.RIGHT)} & {"auditor", "marketing", "operator"}
