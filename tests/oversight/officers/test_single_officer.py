"""An installation with one officer: by the operator's word only, and said wherever it matters."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from common.actors import Officer
from consent.models import Purpose
from oversight.changes import approval
from oversight.models import Approval
from oversight.problems import Outdated, SecondOfficerNeeded
from tests.helpers.registers import drafted, widened

pytestmark = pytest.mark.django_db
WIDER = ["views", "purchases", "ratings", "postal_address"]


def test_one_officer_alone_is_refused_until_the_operator_says_so(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(SecondOfficerNeeded):
        approval.apply_alone(change_set, actor=anna, seen=change_set.digest)

    call_command("single_officer", "on")
    approval.apply_alone(change_set, actor=anna, seen=change_set.digest)

    assert Purpose.objects.get(slug="recommendations").data_categories == WIDER
    change_set.refresh_from_db()
    assert (change_set.kind, Approval.objects.get().is_single) == ("single", True)


def test_what_was_not_seen_is_not_applied(anna: Officer) -> None:
    call_command("single_officer", "on")
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(Outdated):
        approval.apply_alone(change_set, actor=anna, seen="0" * 64)


def test_it_ends_when_the_operator_says_so(anna: Officer, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("single_officer", "on")
    call_command("single_officer", "off")
    assert "Two officers are needed." in capsys.readouterr().out

    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(SecondOfficerNeeded):
        approval.apply_alone(change_set, actor=anna, seen=change_set.digest)


def test_the_pages_say_it_and_offer_it(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    client = Client()
    client.force_login(User.objects.get(pk=anna.account))
    page = f"/admin/changes/{change_set.pk}/"
    assert "Single officer." not in client.get(page).content.decode()
    assert f'action="{page}alone"' not in client.get(page).content.decode()

    call_command("single_officer", "on")

    assert "Single officer." in client.get("/admin/changes/").content.decode()
    assert f'action="{page}alone"' in client.get(page).content.decode()
    client.post(f"{page}alone", {"seen": change_set.digest})
    assert Purpose.objects.get(slug="recommendations").data_categories == WIDER
