"""Every page carries a Content-Security-Policy; the public ones the strictest."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PUBLIC = [
    "/",
    "/shop/",
    "/assent.js",
    "/privacy/",
    "/privacy/open/never-issued",
    "/health/live",
    "/health/ready",
    "/nowhere/",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_runs_and_loads_nothing_foreign_and_nothing_inline(register_in_force, path):
    answer = Client().get(path)

    assert answer.headers["Content-Security-Policy"] == STRICT
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == ("no-referrer" if "/open/" in path else "same-origin")
    assert answer.headers["Permissions-Policy"] == "camera=(), geolocation=(), microphone=(), browsing-topics=()"


@pytest.mark.parametrize("path", PUBLIC)
def test_no_public_page_has_inline_script_or_style(register_in_force, path):
    page = Client().get(path).content.decode()

    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert " onclick=" not in page


def test_the_dashboard_has_the_strict_policy_too(visitor):
    page = visitor.look()

    assert page.headers["Content-Security-Policy"] == STRICT
    assert " style=" not in page.content.decode()


@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs"])
def test_pages_with_looser_rules_still_load_nothing_from_other_sites(register_in_force, path):
    policy = Client().get(path).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "http" not in policy
    assert "*" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_documentation_of_the_api_runs_no_inline_script(register_in_force):
    answer = Client().get("/api/docs")

    script_rule = answer.headers["Content-Security-Policy"].split("script-src ")[1].split(";")[0]
    assert script_rule == "'self'"
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/privacy/", "/privacy/open/never-issued", "/api/v1/consents"])
def test_what_is_about_a_person_is_kept_by_no_cache(register_in_force, path):
    assert Client().get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/nowhere/", 404, "There is no page here"),
        ("/privacy/", 403, "This link does not work"),
    ],
)
def test_an_error_page_is_one_sentence_and_a_way_out(register_in_force, path, status, sentence):
    answer = Client().get(path)

    assert answer.status_code == status
    assert f"<h1>{sentence}</h1>" in answer.content.decode()


def test_a_fault_of_ours_shows_the_sentence_and_no_details(register_in_force, monkeypatch):
    from governance.privacy_center import sessions

    monkeypatch.setattr(sessions, "current_session", lambda request: 1 / 0)

    answer = Client(raise_request_exception=False).get("/privacy/")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()
    assert "division" not in answer.content.decode()


@pytest.mark.parametrize(("path", "status"), [("/api/v1/nowhere", 404), ("/api/v1/consents", 401)])
def test_an_error_of_the_api_is_a_problem_document(register_in_force, path, status):
    answer = Client().post(path, data=b"{}", content_type="application/json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
