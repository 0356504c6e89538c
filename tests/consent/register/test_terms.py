"""Terms are frozen with each notice version; what a register says beyond them is found by comparison."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from common.canonical import sha256
from consent.models import Notice, NoticeTerms, Party, Purpose
from consent.register import lint, register, terms
from consent.register.terms import Terms, material
from privacy.models import RetentionSchedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register_in_force")]
ACTOR = "officer:anna"


def _purpose(slug: str = "newsletter") -> Purpose:
    return Purpose.objects.get(slug=slug)


def _publish(*, is_material: bool = False) -> Notice:
    return register.publish_notice(purpose=_purpose(), text="Anew.", actor=ACTOR, is_material=is_material)


def test_each_version_has_the_terms_of_its_publication():
    purpose = _purpose()
    purpose.data_categories, purpose.channels = ["email_address", "location"], ["email", "sms"]
    register.save_purpose(purpose, actor=ACTOR)
    _publish()

    first, second = (terms.of_version("newsletter", version) for version in (1, 2))

    assert (first.data_categories, second.data_categories) == ({"email_address"}, {"email_address", "location"})
    assert (first.channels, second.channels) == ({"email"}, {"email", "sms"})
    assert (first.controller, first.retention_days) == ("northwind", 730)


def test_a_purpose_has_terms_before_its_first_notice():
    Purpose.objects.create(slug="new", name="New", benefit="b", actions=["collect"], parent=_purpose())

    assert terms.of_version("new", 0).actions == {"collect"}
    assert terms.of_version("new", 0).broader == "newsletter"


def test_a_translation_has_the_terms_of_its_version():
    register.publish_notice(purpose=_purpose(), text="Neu.", actor=ACTOR, locale="de", version=1)

    assert NoticeTerms.objects.filter(purpose="newsletter", version=1).count() == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE consent_noticeterms SET content = '{}'", "DELETE FROM consent_noticeterms"]
)
def test_terms_are_never_changed(statement):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_register_reads_like_the_terms_it_would_freeze():
    assert terms.of_register(_purpose()) == terms.of_version("newsletter", 1)
    assert terms.needs_new_version(_purpose()) == []


WIDENINGS = {
    "data_categories": Terms(data_categories=frozenset({"views", "location"})),
    "recipients": Terms(recipients=frozenset({"acme"})),
    "channels": Terms(channels=frozenset({"sms"})),
    "actions": Terms(actions=frozenset({"share"})),
    "max_level": Terms(max_level="segment"),
    "broader": Terms(broader="personalization"),
}


@pytest.mark.parametrize("field", WIDENINGS)
def test_a_widening_is_found_and_separable(field):
    (found,) = material(Terms(), WIDENINGS[field])

    assert (found.field, found.is_separable) == (field, True)
    assert found.detail


@pytest.mark.parametrize("field", WIDENINGS)
def test_a_narrowing_is_no_finding(field):
    assert material(WIDENINGS[field], Terms()) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Terms(controller="a"), Terms(controller="b")),
        (Terms(controller="a"), Terms()),
        (Terms(retention_days=30), Terms(retention_days=31)),
        (Terms(retention_days=30), Terms()),
    ],
)
def test_what_no_question_separates_asks_about_everything(before, after):
    assert [finding.is_separable for finding in material(before, after)] == [False]
    assert material(before, before) == []


def test_a_first_schedule_is_a_shorter_retention():
    assert material(Terms(), Terms(retention_days=30)) == []


def test_a_longer_retention_makes_a_version_material():
    RetentionSchedule.objects.filter(purpose__slug="newsletter").update(retain_for=timedelta(days=900))

    assert _publish(is_material=False).is_material is True
    assert _publish(is_material=False).is_material is False


def test_another_controller_makes_a_version_material():
    other = Party.objects.create(slug="other", role="controller", name="Other", address="A 1", country="DE")
    Purpose.objects.filter(slug="newsletter").update(controller=other)

    assert _publish(is_material=False).is_material is True


def test_a_version_of_a_widened_register_needs_no_word_of_an_officer():
    purpose = _purpose()
    purpose.data_categories = [*purpose.data_categories, "location"]
    register.save_purpose(purpose, actor=ACTOR)

    assert [finding.detail for finding in terms.needs_new_version(purpose)] == ["New kinds of data: location."]
    assert _publish(is_material=False).is_material is False
    assert terms.needs_new_version(purpose) == []


def test_of_an_unknown_version_nothing_is_covered():
    assert terms.of_version("newsletter", 99) == Terms()


def test_the_digest_is_that_of_the_content():
    row = NoticeTerms.objects.get(purpose="newsletter", version=1)

    assert row.sha256 == sha256(row.content.encode()).hex()
    assert json.loads(row.content)["actions"] == ["contact"]


def test_a_cosmetic_version_of_a_longer_retention_is_refused():
    RetentionSchedule.objects.filter(purpose__slug="newsletter").update(retain_for=timedelta(days=900))
    notice = Notice(purpose=_purpose(), version=2, locale="en", text="Anew.", is_material=False)

    with pytest.raises(register.NotCosmetic, match="900 days"):
        register.write_notice(notice, created=True)

    notice.is_material = True
    register.write_notice(notice, created=True)
    assert terms.of_version("newsletter", 2).retention_days == 900


def test_a_register_beyond_its_notice_is_linted():
    Purpose.objects.filter(slug="newsletter").update(channels=["email", "sms"])
    found = [finding for finding in lint.check() if finding.code == "notice_says_less"]

    assert [(finding.key, finding.is_error) for finding in found] == [("newsletter", True)]

    _publish()
    assert "notice_says_less" not in {finding.code for finding in lint.check()}
