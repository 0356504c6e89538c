"""The prepared notice names all that a change set says beyond the notice in force, in each of its languages."""

from dataclasses import replace
from typing import Any

import pytest

from common.actors import Officer
from consent.models import Notice, Party
from consent.register import novelties, terms
from consent.register.novelties import Said
from oversight import registers, rows
from oversight.admin import remedies
from oversight.changes.documents import Proposed
from privacy.models import RetentionSchedule
from tests.helpers.registers import drafted, make_officer, purpose_with

pytestmark = pytest.mark.django_db
_DAY = 24 * 60 * 60 * 1_000_000


@pytest.fixture
def anna(register_in_force: None, kept_translations: Any) -> Officer:
    kept_translations.lay()
    return make_officer("anna")


def _prepared(anna: Officer, *proposed: Proposed) -> dict[str, str]:
    """What the remedy of a draft adds to each language's text of the newsletter."""
    change_set = drafted(anna, *proposed)
    (remedy,) = remedies.of(change_set)
    mended = remedies.apply(change_set, remedy.code, actor=anna)
    assert not mended.has_errors
    texts = {change.after["locale"]: change.after["text"] for change in mended.changes.filter(register="notice")}
    in_force = dict(Notice.objects.filter(purpose__slug="newsletter", version=1).values_list("locale", "text"))
    assert texts.keys() == in_force.keys() == {"en", "de", "es", "fr"}
    return {locale: text.removeprefix(in_force[locale]).strip() for locale, text in texts.items()}


def _kept_for(days: int, *, is_active: bool = True) -> Proposed:
    schedule = registers.find("retention_schedule")
    row = rows.find_document(schedule, "newsletter")
    return Proposed(
        "retention_schedule", "newsletter", {**(row or {}), "retain_for": days * _DAY, "is_active": is_active}
    )


def _controller(slug: str, name: str) -> Proposed:
    party = registers.find("party")
    row = rows.document_of(party, Party.objects.get(slug="northwind"))
    return Proposed("party", slug, {**row, "slug": slug, "name": name, "role": "joint_controller"})


def test_a_longer_retention_is_named_in_days(anna: Officer) -> None:
    assert _prepared(anna, _kept_for(1000)) == {
        "en": "We keep the data for 1000 days now instead of 730 days.",
        "de": "Wir bewahren die Daten jetzt 1000 Tage statt 730 Tage auf.",
        "es": "Ahora conservamos los datos 1000 días en lugar de 730 días.",
        "fr": "Nous conservons désormais les données 1000 jours au lieu de 730 jours.",
    }


def test_an_end_that_is_taken_away_is_named(anna: Officer) -> None:
    found = _prepared(anna, _kept_for(730, is_active=False))

    assert found["en"] == "We keep the data without a fixed end now instead of for 730 days."
    assert "ohne festes Ende" in found["de"]


def test_another_controller_is_named_by_its_name(anna: Officer) -> None:
    found = _prepared(
        anna, _controller("southwind", "Southwind Ltd"), purpose_with("newsletter", controller="southwind")
    )

    assert found["en"] == "Southwind Ltd is responsible now instead of Northwind Shop."
    assert found["de"] == "Verantwortlich ist jetzt Southwind Ltd statt Northwind Shop."
    assert found["fr"] == "Le responsable est désormais Southwind Ltd au lieu de Northwind Shop."


def test_lists_level_and_broader_purpose_stand_in_one_text(anna: Officer) -> None:
    widened = purpose_with(
        "newsletter", recipients=["mail-house", "parcel-carrier"], max_level="individual", parent="personalization"
    )

    assert _prepared(anna, widened)["en"] == (
        "New in this version: Parcel Carrier. It may be more personal than before, at most: Personal. "
        "It is part of “A shop that knows you a little” now: a yes to that counts here, too."
    )


def test_another_legal_basis_and_other_words_are_named(anna: Officer) -> None:
    before = Said.now("newsletter")
    after = replace(before, basis="contract", kept={"": "Three years.", "de": "Drei Jahre"})
    agreed = terms.of_version("newsletter", 1)

    assert novelties.sentences(agreed, before, after, "de") == [
        "Die Rechtsgrundlage ist jetzt eine andere: Nötig für Ihre Bestellung.",
        "Wie lange wir die Daten aufbewahren: Drei Jahre.",
    ]
    assert novelties.sentences(agreed, before, after, "en")[1] == "How long we keep the data: Three years."


def test_what_says_no_more_adds_no_sentence(anna: Officer) -> None:
    before = Said.now("newsletter")
    agreed = terms.of_version("newsletter", 1)
    less = replace(before, terms=replace(before.terms, recipients=frozenset(), retention_days=10))

    for locale in ("en", "de", "es", "fr"):
        assert novelties.sentences(agreed, before, before, locale) == []
        assert novelties.sentences(agreed, before, less, locale) == []


def test_reading_a_set_leaves_the_registers_as_they_were(anna: Officer) -> None:
    _prepared(anna, _kept_for(1000))

    assert RetentionSchedule.objects.get(slug="newsletter").retain_for.days == 730
    assert terms.newest_version("newsletter") == 1
