"""An officer without a right stays inside the admin and reads which one is missing, on every page there is.

Kind: a page of the admin that refuses by itself. The walk takes the addresses from the URL configuration, so a page
that is added later is met too.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from governance.sign_in import urls as sign_in_urls

pytestmark = pytest.mark.django_db
# Pages for every officer: they show nothing of the register, or only what the officer's rights permit.
OF_ONESELF = {url.name for url in sign_in_urls.urlpatterns}  # every officer's own sign-in, whatever their rights
FOR_ALL = {
    "admin:index", "admin:login", "admin:logout", "admin:jsi18n", "admin:password_change", "admin:search",
    "admin:password_change_done", "admin:autocomplete", "admin:view_on_site", "admin:app_list", "admin:app_list_all",
    "admin:toggle_sidebar",
}  # fmt: skip
VALUES = {"int": "1", "str": "1", "slug": "stop", "uuid": str(uuid.UUID(int=7)), "path": "1"}
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def staff(*rights: str) -> Client:
    user = get_user_model().objects.create_user("mara", password="a long one for tests", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/admin/consent/purpose/", "consent.view_purpose"),
        ("/admin/consent/purpose/add/", "consent.add_purpose"),
        ("/admin/auth/user/", "auth.view_user"),
        ("/admin/trust/", "consent.view_exactfigures"),
        ("/admin/rollouts/", "policies.view_rollout"),
        ("/admin/simulations/", "policies.view_simulationreport"),
        ("/admin/jurisdiction-matrix", "policies.view_jurisdiction"),
        ("/admin/consent/proof/", "consent.view_datasubject"),
        ("/admin/consent/notice/add/", "consent.add_notice"),
    ],
)
def test_a_403_names_the_right_inside_the_admin(path, right):
    answer = staff("view_notice").get(path)

    _names(answer, right)


def _names(answer: Any, right: str) -> None:
    text = answer.content.decode()
    assert answer.status_code == 403
    assert f"<code>{right}</code>" in text
    assert "/admin/logout/" in text
    assert 'href="/admin/"' in text


def _addresses() -> Iterator[tuple[str, str]]:
    """Return name and address of every page under /admin/, with a value for each parameter."""

    def walk(patterns: list[Any], prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                inner = f"{pattern.namespace}:" if pattern.namespace else namespace
                yield from walk(pattern.url_patterns, route, inner)
            elif isinstance(pattern, URLPattern) and route.startswith("admin/") and not route.endswith("$"):
                yield f"{namespace}{pattern.name}", f"/{PARAMETER.sub(lambda m: VALUES[m[1] or 'str'], route)}"

    yield from walk(get_resolver().url_patterns, "", "")


def test_every_page_of_the_admin_names_the_missing_right():
    browser = staff()
    faults, refused = [], 0
    for name, path in _addresses():
        if name in FOR_ALL | OF_ONESELF or "(?P" in path:
            continue
        for answer in (browser.get(path), browser.post(path, {})):
            text = answer.content.decode()
            if answer.status_code in (302, 405, 404) or path == "/admin/login/":
                continue  # sent on to where a right is asked for, or no page at all
            refused += answer.status_code == 403
            if answer.status_code != 403 or not re.search(r"<code>[a-z_]+\.[a-z]+_[a-z]+</code>", text):
                faults.append((answer.status_code, answer.request["REQUEST_METHOD"], name, path))

    assert faults == []
    assert refused > 80


@pytest.mark.parametrize(
    ("page", "right"),
    [
        ("policy/1/activate", "policies.add_policyactivation"),
        ("policy/1/roll-back", "policies.add_policyactivation"),
        ("policy/1/simulate", "policies.add_simulationreport"),
        ("servicecredential/1/revoke", "policies.change_servicecredential"),
    ],
)
def test_an_action_on_one_object_names_its_right(page, right):
    _names(staff("view_policy", "view_servicecredential").get(f"/admin/policies/{page}/"), right)


def test_outside_the_admin_the_page_for_people_stays(register_in_force):
    answer = Client().get("/privacy/")

    assert answer.status_code == 403
    assert "The missing right" not in answer.content.decode()
