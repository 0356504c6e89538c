"""One value of the register is the smallest group that is counted anywhere in public."""

import pytest
from django.test import Client
from django.utils import timezone

from common.suppression import smallest_group
from consent.trust import metrics
from consent.trust.metrics import Grouping
from oversight import guard
from personalization import parameters
from policies.bundles import building
from privacy.models import DisclosureLimits
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db


def _set(size: int) -> None:
    with guard.writing("test"):
        DisclosureLimits.objects.update_or_create(defaults={"smallest_group": size})


def test_the_value_in_force_decides_what_is_shown(choose):
    since = timezone.now().replace(hour=0, minute=0)
    for number in range(8):
        choose(f"person-{number}", "give")

    assert metrics.breakdown(Grouping.PURPOSE, since=since).total is None
    _set(8)
    found = metrics.breakdown(Grouping.PURPOSE, since=since).total
    assert found is not None
    assert found.people == 8
    _set(9)
    assert metrics.breakdown(Grouping.PURPOSE, since=since).total is None


def test_pages_and_the_bundle_say_the_value_in_force(register_in_force):
    _set(35)

    page: Client = signed_in(with_role("otto", "privacy-officer"))
    assert "fewer than 35" in page.get("/admin/trust/").content.decode()
    data = building.build_data()
    assert data["disclosure"]["smallest_group"] == data["segment"]["min_size"] == smallest_group() == 35
    assert "at least 35" in parameters.document()["levels"][1]["ranks_by"]
