"""An officer without a right stays inside the admin and reads which one is missing."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer():
    user = get_user_model().objects.create_user("mara", password="a long one for tests", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_notice"))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/admin/consent/purpose/", "consent.view_purpose"),
        ("/admin/consent/purpose/add/", "consent.add_purpose"),
        ("/admin/auth/user/", "auth.view_user"),
    ],
)
def test_a_403_names_the_right_inside_the_admin(officer, path, right):
    answer = officer.get(path)

    text = answer.content.decode()
    assert answer.status_code == 403
    assert f"<code>{right}</code>" in text
    assert "/admin/logout/" in text
    assert 'href="/admin/"' in text


def test_outside_the_admin_the_page_for_people_stays(register_in_force):
    answer = Client().get("/privacy/")

    assert answer.status_code == 403
    assert "The missing right" not in answer.content.decode()
