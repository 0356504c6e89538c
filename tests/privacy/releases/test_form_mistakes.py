"""A mistake in a form of releases keeps what was typed, and points to the field."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from privacy.models import TableRelease
from privacy.releases import uploads
from tests.helpers.officers import signed_in, with_role
from tests.privacy.releases.conftest import ANN, PARTY, PURPOSE, ROLES

pytestmark = pytest.mark.django_db
FORM = {
    **{f"role-{number}": role for number, role in enumerate(ROLES.values())},
    "action-4": "bounds:top=3", "k": "11", "l": "2", "t": "", "suppress": "0", "purpose": PURPOSE,
    "receivers": PARTY, "people": "eea", "region": "eu-central", "days": "77",
}  # fmt: skip


@pytest.fixture
def officer(officers: None) -> Client:
    return signed_in(with_role("paula", "privacy-officer"))


def _invalid(page: str) -> list[str]:
    """Return the names of the fields that are marked."""
    return re.findall(r'<(?:input|select|textarea)[^>]*? name="([^"]+)"[^>]*? aria-invalid="true"', page)


@pytest.mark.parametrize(
    ("mistake", "field", "said"),
    [
        ({"k": "many"}, "k", "is a whole number"),
        ({"t": "2"}, "t", "is a number between 0 and 1"),
        ({"suppress": "nan"}, "suppress", "is a number between 0 and 1"),
        ({"days": "9999"}, "days", "in force for 1 to"),
        ({"purpose": "none-such"}, "purpose", "No purpose"),
        ({"role-1": "person", "role-2": "person"}, "role-2", "One column at most names the person"),
        ({"hierarchy-3": SimpleUploadedFile("i.csv", b"flu\n")}, "role-3", "The hierarchy of “illness”"),
    ],
)
def test_a_mistake_about_a_copy_points_to_its_field(officer, file, mistake, field, said):
    page = f"/admin/releases/tables/{uploads.take_file(file, actor=ANN).pk}/"

    shown = officer.post(page, {**FORM, **mistake}).content.decode()

    assert _invalid(shown) == [field]
    assert re.search(rf'class="start-wrong"[^>]*>[^<]*{said}', shown)
    assert 'value="bounds:top=3"' in shown
    assert 'name="days" min="1" max="3650" value="77"' in shown or field == "days"
    assert not TableRelease.objects.exists()


def test_an_upload_that_is_refused_keeps_its_name_and_days(officer):
    upload = SimpleUploadedFile("visits.csv", b"")

    shown = officer.post("/admin/releases/", {"file": upload, "name": "Visits <2026>", "days": "12"}).content.decode()

    assert _invalid(shown) == ["file"]
    assert 'value="Visits &lt;2026&gt;"' in shown
    assert 'name="days" value="12"' in shown
