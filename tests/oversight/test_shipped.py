"""What a release ships comes into force as sets of its own, from a session that may write no register by itself."""

import pytest

from audit.models import AuditEvent
from consent.models import Purpose
from governance.demo import register
from oversight.models import Change, ChangeSet
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
        ("Register of the demonstration", "shipped", "in_force"),
        ("Translations of the demonstration", "shipped", "in_force"),
    ]
    assert Change.objects.filter(register="residency_rule").count() == ResidencyRule.objects.count()
    assert Change.objects.filter(register="purpose", before__isnull=True).count() == Purpose.objects.count()
    assert AuditEvent.objects.filter(action="changes.shipped").count() == 3


def test_laying_again_makes_no_set(register_in_force: None) -> None:
    with without_writer():
        defaults.ensure_defaults()
        register.ensure_register()

    assert not ChangeSet.objects.exists()
