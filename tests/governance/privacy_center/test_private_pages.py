"""Nobody learns from any private page whether somebody else is known here, or what they chose."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from consent import links
from consent.models import ConsentRecord
from consent.pseudonyms import subject_ref
from tests.helpers.visitor import Visitor, forms_in

pytestmark = pytest.mark.django_db
ARGUMENTS = {
    "<int:revision>": "2",
    "(?P<revision>[0-9]{1,15})": "2",
    "(?P<form>signed|dpv|kantara)": "signed",
    "<uuid:pk>": "019b0000-0000-7000-8000-000000000001",
}


def _private_paths():
    """Every path under /privacy/ as the site has them, so that new ones are tested without being named here."""
    for pattern in get_resolver().url_patterns:
        path = str(pattern.pattern).removeprefix("^").removesuffix("$").replace("\\.", ".")
        if isinstance(pattern, URLPattern) and path.startswith("privacy/") and "<str:token>" not in path:
            for name, value in ARGUMENTS.items():
                path = path.replace(name, value)
            assert "<" not in path, f"give {path} an argument"
            yield f"/{path}"


# The ranking is explained to everybody, and a person who is signed in sees their own list there; anybody may ask.
OPEN_TO_ALL = {"/privacy/ranking", "/privacy/ranking/creators", "/privacy/ranking/model", "/privacy/request"}
PATHS = sorted(_private_paths())


def _seen(answer, *secrets):
    text = answer.content.decode()
    for secret in secrets:
        text = text.replace(secret, "")
    for form in forms_in(answer) if "html" in answer.headers.get("Content-Type", "") else []:
        text = text.replace(form["fields"].get("csrfmiddlewaretoken") or "\0", "")
    return answer.status_code, text, dict(answer.headers), sorted(answer.cookies)


@pytest.fixture
def other(api):
    """Somebody with two saves, so with receipts 1 and 2, and a session."""
    api.save("customer-2", "give")
    api.save("customer-2", "withdraw")
    return Visitor("customer-2").come_in()


@pytest.mark.parametrize("method", ["get", "post", "head"])
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_sees_the_same_whether_somebody_is_known_or_not(register_in_force, api, method, path):
    before = _seen(getattr(Client(), method)(path))

    api.save("customer-2", "give")
    api.save("customer-2", "withdraw")
    Visitor("customer-2").come_in()

    assert _seen(getattr(Client(), method)(path)) == before
    assert before[0] in (302, 403, 404, 405, 410) or path in OPEN_TO_ALL


@pytest.mark.parametrize("path", [path for path in PATHS if "receipts" in path])
def test_another_persons_receipt_looks_like_one_that_was_never_made(visitor, other, path):
    assert other.browser.get(path).status_code == 200

    foreign = visitor.browser.get(path)
    never_made = visitor.browser.get(path.replace("/2", "/99999"))

    assert foreign.status_code == 404
    assert _seen(foreign) == _seen(never_made)


def test_a_choice_cannot_be_hung_on_another_persons_record(visitor, other):
    record = str(ConsentRecord.objects.filter(subject=subject_ref("customer-2")).latest("recorded_at").pk)
    before = ConsentRecord.objects.count()

    def choose(supersedes):
        form = {**visitor.form_of("recommendations")["fields"], "choice": "give", "supersedes": supersedes}
        return visitor.browser.post("/privacy/choices", form, follow=True)

    foreign, unknown = choose(record), choose("00000000-0000-7000-8000-000000000000")

    assert foreign.context["message"] == unknown.context["message"]
    assert ConsentRecord.objects.count() == before


def test_a_service_that_asks_for_a_link_learns_nothing_about_the_person(api):
    api.save("known", "give")

    known, unknown = (
        api.post("/api/v1/dashboard-links", {"subject": {"id": person}}) for person in ("known", "unknown")
    )

    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()


def test_two_browsers_of_two_people_keep_apart(visitor, other):
    visitor.choose("recommendations", "give")

    assert visitor.states()["recommendations"] == "given"
    assert other.states()["recommendations"] == "withdrawn"
    links.revoke_access(subject_ref=visitor.ref, actor="service:shop")
    assert visitor.browser.get("/privacy/").status_code == 403
    assert other.look().status_code == 200
