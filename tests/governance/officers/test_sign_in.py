"""An officer's sign-in ends on a page of this site, whatever the address asked for."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///x", ""]
)
def test_a_foreign_next_ends_on_the_start_page(register_in_force, wanted):
    User.objects.create_superuser("anna", password="a long password")

    form = {"username": "anna", "password": "a long password", "next": wanted}
    answer = Client().post("/admin/login/", form, query_params={"next": wanted}, follow=True)

    assert answer.redirect_chain == [("/admin/", 302)]
    assert answer.status_code == 200


def test_a_page_of_this_site_is_where_the_sign_in_ends(register_in_force):
    User.objects.create_superuser("anna", password="a long password")

    form = {"username": "anna", "password": "a long password", "next": "/admin/trust/"}

    assert Client().post("/admin/login/?next=/admin/trust/", form).headers["Location"] == "/admin/trust/"
