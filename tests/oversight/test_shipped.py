"""What a release ships comes into force as sets of its own, from a session that may write no register by itself."""

import pytest

from audit.models import AuditEvent
from consent.models import Purpose
from governance.demo import register
from oversight.changes import applying
from oversight.models import Change, ChangeSet
from oversight.problems import ChangeRefused
from policies.models import ResidencyRule
from policies.registers import defaults
from tests.helpers.registers import without_writer

pytestmark = pytest.mark.django_db


def test_defaults_and_the_demonstration_are_laid_as_shipped_sets() -> None:
    with without_writer():
        defaults.ensure_defaults()
        register.ensure_register()
        register.ensure_translations()

    sets = ChangeSet.objects.order_by("id")
    assert [(each.title, each.kind, each.state) for each in sets] == [
        ("Defaults of this release", "shipped", "in_force"),
        ("Release gates of this release", "shipped", "in_force"),
        ("Register of the demonstration", "shipped", "in_force"),
        ("Translations of the demonstration", "shipped", "in_force"),
    ]
    assert Change.objects.filter(register="residency_rule").count() == ResidencyRule.objects.count()
    assert Change.objects.filter(register="purpose", before__isnull=True).count() == Purpose.objects.count()
    assert AuditEvent.objects.filter(action="changes.shipped").count() == 4


def test_a_shipped_set_is_checked_as_a_draft_is() -> None:
    defaults.ensure_defaults()
    register.ensure_register()
    register.ensure_translations()

    for change_set in ChangeSet.objects.order_by("id"):
        assert change_set.is_checked
        assert not [finding for finding in change_set.findings if finding["is_error"]], change_set.title
    events = AuditEvent.objects.filter(action="changes.shipped")
    assert [event.details["errors"] for event in events] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"subject_group": "atlantis", "processing_group": "eea"}, "atlantis"),
        ({"subject_group": "eea", "processing_group": "eea", "data_categories": ["Not a name"]}, "Not a name"),
        ({"subject_group": "", "processing_group": "eea"}, "blank"),
    ],
)
def test_a_release_that_ships_an_error_is_not_laid(register_in_force: None, rule: dict[str, str], said: str) -> None:
    with (
        without_writer(),
        pytest.raises(ChangeRefused, match=said),
        applying.apply_shipped(title="Defaults", actor="system"),
    ):
        ResidencyRule.objects.create(slug="shipped", **{"data_categories": ["*"], **rule})

    assert not ResidencyRule.objects.filter(slug="shipped").exists()
    assert not ChangeSet.objects.exists()


def test_a_release_of_the_primary_is_followed_with_its_errors_on_the_set(register_in_force: None) -> None:
    with (
        without_writer(),
        applying.apply_shipped(title="Release", actor="job:cells", kind=ChangeSet.Kind.RELEASE),
    ):
        ResidencyRule.objects.create(
            slug="shipped", subject_group="atlantis", processing_group="eea", data_categories=["*"]
        )

    released = ChangeSet.objects.get()
    assert (released.kind, released.has_errors) == ("release", True)
    assert "atlantis" in str(released.findings)
    errors = [finding for finding in released.findings if finding["is_error"]]
    assert AuditEvent.objects.get(action="changes.released").details["errors"] == len(errors)


def test_laying_again_makes_no_set(register_in_force: None) -> None:
    with without_writer():
        defaults.ensure_defaults()
        register.ensure_register()

    assert not ChangeSet.objects.exists()
