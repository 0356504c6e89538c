"""The frame around all pages of the admin: landmarks, names, and nothing that a mouse alone reaches."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from consent.models import Purpose

pytestmark = pytest.mark.django_db
_REACHED_BY_KEYBOARD = {"a", "button", "input", "select", "summary", "textarea"}
PAGES = [
    "/admin/",
    "/admin/changes/",
    "/admin/consent/purpose/",
    "/admin/consent/purpose/?_popup=1",
    "/admin/consent/purpose/add/",
    "/admin/auth/user/",
    "/admin/models/",
    "/admin/releases/",
    "/admin/reviews/",
    "/admin/simulations/",
    "/admin/rollouts/",
    "/admin/password_change/",
]


class _Frame(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.mains = self.headings = self.headings_in_main = 0
        self.titles: list[str] = []
        self.by_mouse_alone: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.mains += tag == "main"
        self.headings += tag == "h1"
        self.headings_in_main += tag == "h1" and "main" in self._open
        self._open.append(tag)
        given = dict(attrs)
        # What lies behind a panel closes it for the mouse; Escape does it for the keyboard.
        if "x-on:click" in given and given.get("id") != "changelist-filter-close":
            reached = tag in _REACHED_BY_KEYBOARD and (tag != "a" or "href" in given)
            self.by_mouse_alone += [] if reached else [f"{tag}: {given['x-on:click']}"]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["title"]:
            self.titles.append(data.strip())


def _check(html: str) -> None:
    frame = _Frame(html)
    assert frame.mains == 1
    assert frame.headings == frame.headings_in_main == 1
    assert [title for title in frame.titles if title.split("|")[0].strip()], "the page has a title of its own"
    assert frame.by_mouse_alone == []


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_one_main_part_with_its_heading(admin_client: Client, path: str) -> None:
    response = admin_client.get(path)

    assert response.status_code == 200
    _check(response.content.decode())


def test_so_does_the_page_of_an_object_and_of_its_deletion(admin_client: Client) -> None:
    purpose = Purpose.objects.create(slug="letters", name="Letters", legal_basis="consent")

    for path in ("change", "delete", "history"):
        _check(admin_client.get(f"/admin/consent/purpose/{purpose.pk}/{path}/").content.decode())


def test_so_do_the_pages_before_and_after_signing_in(client: Client, admin_client: Client) -> None:
    _check(client.get("/admin/login/").content.decode())
    _check(admin_client.post("/admin/logout/", follow=True).content.decode())


def test_a_page_that_is_refused_has_it_too(client: Client, django_user_model: type) -> None:
    officer = django_user_model.objects.create_user("clerk", password="correct horse 9", is_staff=True)  # type: ignore[attr-defined]
    client.force_login(officer)

    response = client.get("/admin/consent/purpose/")

    assert response.status_code == 403
    _check(response.content.decode())


def test_a_page_without_the_landmark_would_fail() -> None:
    with pytest.raises(AssertionError):
        _check("<title>Releases</title><div id=main><h1>Releases</h1></div>")
    with pytest.raises(AssertionError):
        _check('<title>Releases</title><main><h1>Releases</h1><span x-on:click="open = true">menu</span></main>')
