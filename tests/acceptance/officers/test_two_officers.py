"""The registers in the browsers of two officers: every change is drafted by one, approved by another, and undone."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from common import identifiers
from common.actors import Officer
from consent.models import DataSubject, Purpose
from consent.pseudonyms import subject_ref
from governance.officers.rights_register import operator_writes
from oversight.models import ChangeSet
from personalization.models import Event, Item
from policies import engines
from policies.engines.opa import OpaEngine
from policies.models import Jurisdiction
from privacy.models import RetentionSchedule
from tests.acceptance.officers.forms import press
from tests.helpers.browser import needs_chromium
from tests.helpers.officers import PASSWORD, with_role
from tests.helpers.registers import in_force, make_account, widened
from tests.helpers.wsgi_calls import call, question
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
NEW = "postal_address"
SECRET = "Kx9-long-enough"


@pytest.fixture
def anna(site: str) -> User:
    """A superuser: whatever is refused here is refused to everybody."""
    return make_account("anna")


@pytest.fixture
def ben(site: str) -> User:
    return with_role("ben", "approver")


def save_draft(page: Any) -> str:
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_role("heading", name="Before and after").wait_for()
    return str(page.url)


def asked(person: str, *kinds: str) -> tuple[bool, list[tuple[str, str | None]]]:
    resource = {"type": "personalization", "id": "feed", "properties": {"data_categories": list(kinds)}}
    answer = call(question(person, resource=resource), _token()).json()
    return answer["decision"], [(reason["code"], reason.get("detail")) for reason in answer["context"]["reasons"]]


def _token() -> str:
    return _tokens[0]


_tokens: list[str] = []


@pytest.fixture
def people(token: str, site: str) -> Callable[..., None]:
    _tokens[:] = [token]

    def agree(person: str, region: str = "DE") -> None:
        subject = {"id": person, "region": region, "age_band": "adult"}
        body = {"subject": subject, "choices": [{"purpose": "recommendations", "choice": "give"}]}
        assert call(body, token, path="/api/v1/consents").status == 201

    return agree


def in_both_engines(opa: OpaEngine, monkeypatch: pytest.MonkeyPatch, *about: Any) -> Any:
    """Ask the embedded engine, then OPA; return what both answered."""
    embedded = asked(*about)
    with monkeypatch.context() as patch:
        patch.setattr(engines, "for_revision", lambda *_: opa)
        assert asked(*about) == embedded
    return embedded


def test_a_purpose_is_widened_by_two_officers_and_undone(
    as_officer,
    site,
    anna,
    ben,
    people,
    look,
    request,
    monkeypatch,
    opa_engine,  # noqa: F811
):
    people("earlier")
    page = as_officer(anna)
    second = _own_second_account(page, site)

    page.goto(f"{site}/admin/consent/purpose/{_purpose().pk}/change/")
    page.locator("[name=data_categories]").fill(f"views, purchases, ratings, {NEW}")
    page.get_by_text("Add another Reason").click()
    page.locator("[name=data_reasons-3-category]").select_option(label="postal address")
    page.locator("[name=data_reasons-3-locale]").select_option("en")
    page.locator("[name=data_reasons-3-reason]").fill("To show what is near you.")
    address = save_draft(page)
    assert page.get_by_role("button", name="Propose").count() == 0, "not without the next version of the notice"
    look(page, "draft-with-an-error")
    press(page, "Draft the next notice version in this set")
    look(page, "draft")
    press(page, "Propose", because="A wish of marketing.")
    page.get_by_text("Another officer has to approve this change set.").wait_for()
    assert page.get_by_role("button", name="Approve").count() == 0, "not by its author"

    puppet = as_officer(second)
    puppet.goto(address)
    puppet.get_by_text("do not count as two persons").wait_for()
    assert puppet.get_by_role("button", name="Approve").count() == 0, "nor by the author's second account"
    assert _refused_past_the_page(puppet, address) == "proposed"
    look(puppet, "refused-as-one-person")
    assert in_both_engines(opa_engine, monkeypatch, "earlier", NEW)[0] is False

    colleague = as_officer(ben)
    colleague.get_by_role("link", name="Change set to approve").first.click()
    look(colleague, "to-approve")
    press(colleague, "Approve", because="Agreed.", confirmed="It says no more than the lists.")
    colleague.get_by_text("In force.", exact=True).wait_for()
    look(colleague, "in-force")
    people("new")

    assert in_both_engines(opa_engine, monkeypatch, "earlier", "views") == (True, [])
    assert in_both_engines(opa_engine, monkeypatch, "earlier", NEW) == (False, [("renewal_required", NEW)])
    assert in_both_engines(opa_engine, monkeypatch, "new", NEW) == (True, [])

    page.goto(address)
    press(page, "Undo", because="Without need.")
    look(page, "undo")
    press(page, "Apply now")
    page.get_by_text("In force.", exact=False).first.wait_for()
    assert NEW not in _purpose().data_categories
    assert in_both_engines(opa_engine, monkeypatch, "new", NEW)[0] is False
    assert in_both_engines(opa_engine, monkeypatch, "earlier", "views") == (True, [])


def _own_second_account(page: Any, site: str) -> User:
    """Let the author make a second account; the operator gives it its role, so that alone is not what counts."""
    page.goto(f"{site}/admin/auth/user/add/")
    page.get_by_label("Username").fill("anna-two")
    page.locator("[name=password1]").fill(SECRET)
    page.locator("[name=password2]").fill(SECRET)
    page.locator("[name=_save]").click()
    page.wait_for_url("**/change/")
    with operator_writes():
        User.objects.filter(username="anna-two").update(is_staff=True)
    call_command("officers", "roles", "anna-two", "--add", "approver", stdout=io.StringIO())
    return User.objects.get(username="anna-two")


def _refused_past_the_page(page: Any, address: str) -> str:
    """Send the approval that the page does not offer; return the state of the set."""
    change_set = ChangeSet.objects.get(pk=int(address.rstrip("/").rpartition("/")[2]))
    page.evaluate(
        """async ([url, seen]) => {
          const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
          await fetch(url, {method: "POST", body: new URLSearchParams({csrfmiddlewaretoken: token, seen,
            because: "x", confirms: "yes", confirmed: "x"})});
        }""",
        [f"{address}approve", change_set.digest],
    )
    page.goto(address)
    change_set.refresh_from_db()
    return str(change_set.state)


def _purpose() -> Purpose:
    return Purpose.objects.get(slug="recommendations")


def _second(change_set_page: Any, address: str, **fields: str) -> None:
    change_set_page.goto(address)
    press(change_set_page, "Approve", **fields)
    change_set_page.get_by_text("In force.", exact=True).wait_for()


def test_a_shorter_retention_shows_what_goes(as_officer, site, anna, ben, people, look):
    people("customer-1")
    old = timezone.now() - timedelta(days=40)
    item, _ = Item.objects.get_or_create(slug="item", defaults={"title": "Item"})
    ref = DataSubject.objects.get(ref=subject_ref("customer-1")).ref
    Event.objects.create(
        id=ref, subject_ref=ref, purpose="recommendations", kind="like", item=item, weight=1, occurred_at=old
    )
    Event.objects.update(received_at=old)
    schedule = RetentionSchedule.objects.get(purpose__slug="recommendations")
    page, colleague = as_officer(anna), as_officer(ben)

    page.goto(f"{site}/admin/privacy/retentionschedule/{schedule.pk}/change/")
    page.locator("[name=retain_for]").fill("30")
    look(page, "retention-form")
    address = save_draft(page)
    effect = page.get_by_role("table", name="Effect")
    row = effect.get_by_role("row").filter(has_text="events").first
    assert "1" in row.inner_text()
    assert page.get_by_text(f"{old:%Y-%m-%d}").count() >= 1, "the oldest row that goes"
    look(page, "retention-effect")
    press(page, "Propose", because="Thirty days are enough.")
    schedule.refresh_from_db()
    assert schedule.retain_for.days == 365, "nothing goes before the second officer"

    _second(colleague, address, because="Agreed.")
    schedule.refresh_from_db()
    assert schedule.retain_for.days == 30
    assert Event.objects.count() == 1, "it goes by the next deletion plan, which has an approval of its own"


def test_a_region_is_added_with_its_rule(as_officer, site, anna, ben, people, look):
    page, colleague = as_officer(anna), as_officer(ben)
    page.goto(f"{site}/admin/policies/region/add/")
    _fill_region(page, "DE", "Germany once more")
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_text("Region with this Code already exists.").first.wait_for()
    look(page, "region-refused")
    assert not ChangeSet.objects.filter(state="draft").exists()
    _fill_region(page, "AD", "Andorra")
    address = save_draft(page)
    assert page.get_by_text("No residency rule is about people of this group").count() == 1, "a warning"
    look(page, "region-draft")
    press(page, "Propose")
    _second(colleague, address)
    people("from-andorra", "AD")
    assert asked("from-andorra", "views") == (False, [("residency", "andorra to eea")])

    page.goto(f"{site}/admin/policies/residencyrule/add/")
    page.locator("[name=slug]").fill("andorra-in-eea")
    page.locator("[name=subject_group]").select_option("andorra")
    page.locator("[name=processing_group]").select_option("eea")
    page.locator("[name=data_categories]").fill("*")
    look(page, "rule-form")
    address = save_draft(page)
    press(page, "Propose")
    assert asked("from-andorra", "views")[0] is False, "not before the second officer"
    _second(colleague, address)

    assert asked("from-andorra", "views") == (True, [])
    page.goto(f"{site}/admin/residency-matrix")
    page.get_by_role("row").filter(has_text="andorra").first.wait_for()
    look(page, "residency-matrix")


def _fill_region(page: Any, code: str, name: str) -> None:
    page.locator("[name=code]").fill(code)
    page.locator("[name=name]").fill(name)
    page.locator("[name=group]").fill("andorra")
    page.locator("[name=jurisdiction]").select_option(str(Jurisdiction.objects.get(slug="gdpr").pk))


def test_a_colleague_becomes_an_auditor_by_set(as_officer, site, anna, ben, look):
    carla = with_role("carla")
    page, colleague, auditor = as_officer(anna), as_officer(ben), as_officer(None)
    page.goto(f"{site}/admin/auth/user/{carla.pk}/change/")
    page.get_by_label("Auditor").check()
    look(page, "officer-form")
    page.locator("[name=_save]").click()
    page.get_by_role("heading", name="Before and after").wait_for()
    look(page, "officer-rights")
    address = page.url
    press(page, "Propose", because="Carla audits us.")
    _log_in(auditor, "carla")
    assert _menu(auditor).isdisjoint(REGISTERS), "not before the second officer"
    _second(colleague, address, because="Agreed.")

    auditor.goto(f"{site}/admin/")
    look(auditor, "auditor-start")
    menu = _menu(auditor)
    assert menu >= REGISTERS
    for path in sorted(menu - OWN_ACCOUNT):
        answer = auditor.request.get(f"{site}{path}")
        assert answer.status == 200, path
        assert 'name="_save"' not in answer.text(), f"{path} offers a change"
        assert '/add/"' not in answer.text(), f"{path} offers a new object"
    for path, right in _forbidden(carla):
        answer = auditor.goto(f"{site}{path}")
        assert answer.status == 403, path
        assert auditor.get_by_text(right).count() >= 1, f"{path} does not name {right}"
        assert auditor.locator("nav a[href='/admin/'], #nav-sidebar a[href='/admin/']").count() >= 1, "inside the admin"
    look(auditor, "auditor-refused")
    auditor.goto(address)
    auditor.get_by_role("heading", name="Before and after").wait_for()
    assert auditor.get_by_role("heading", name="What you can do").count() == 0


REGISTERS = {
    "/admin/consent/purpose/",
    "/admin/policies/region/",
    "/admin/privacy/retentionschedule/",
    "/admin/changes/",
}
# The only things an auditor changes: the own password, factors and sessions.
OWN_ACCOUNT = {"/admin/account/", "/admin/password_change/"}


def _log_in(page: Any, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Needs a decision").wait_for()


def _menu(page: Any) -> set[str]:
    links = page.locator("nav a[href^='/admin/'], #nav-sidebar a[href^='/admin/']").all()
    return {str(link.get_attribute("href")) for link in links}


def _forbidden(account: User) -> list[tuple[str, str]]:
    """Return pages that change something, with the right that each takes."""
    return [
        ("/admin/consent/purpose/add/", "consent.add_purpose"),
        ("/admin/policies/region/add/", "policies.add_region"),
        ("/admin/policies/residencyrule/add/", "policies.add_residencyrule"),
        ("/admin/consent/notice/add/", "consent.add_notice"),
        ("/admin/auth/user/add/", "auth.add_user"),
        (f"/admin/auth/user/{account.pk}/password/", "auth.change_user"),
        ("/admin/privacy/hold/add/", "privacy.add_hold"),
    ]


def test_who_changed_what_last_tuesday_is_found_and_undone(as_officer, site, anna, ben, look, monkeypatch):
    tuesday = _last_tuesday()
    with monkeypatch.context() as then:
        then.setattr(timezone, "now", lambda: tuesday)
        then.setattr(identifiers.time, "time_ns", lambda: int(tuesday.timestamp() * 1e9))
        more = widened("newsletter", channels=["email", "sms"])
        in_force(Officer.of("anna", anna.pk), Officer.of("ben", ben.pk), *more)
    page = as_officer(ben)
    _search_log(page, site, tuesday + timedelta(days=1))
    page.get_by_text("No event fits this filter.").wait_for()
    _search_log(page, site, tuesday)
    look(page, "audit-tuesday")
    row = page.get_by_role("row").filter(has_text="Changes applied").filter(has_text="Officer ben")
    row.get_by_role("link").last.click()
    page.get_by_text("email, sms").first.wait_for()
    look(page, "audit-event")
    page.get_by_role("link", name="The change set").click()
    assert page.get_by_role("button", name="Undo").count() == 0, "who approves proposes nothing"
    address = page.url

    author = as_officer(anna)
    author.goto(address)
    press(author, "Undo", because="It was not wanted.")
    assert author.get_by_role("button", name="Apply now").count() == 0, "it asks people again, so it takes two"
    press(author, "Propose")
    assert Purpose.objects.get(slug="newsletter").channels == ["email", "sms"]
    _second(page, author.url, because="Agreed.")
    assert Purpose.objects.get(slug="newsletter").channels == ["email"]
    page.goto(address)
    page.get_by_text("Taken back by:").wait_for()
    look(page, "undone")


def _search_log(page: Any, site: str, day: datetime) -> None:
    page.goto(f"{site}/admin/audit/auditevent/")
    for name in ("start", "end"):
        page.locator(f"[name={name}]").fill(f"{day:%Y-%m-%d}")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_load_state()


def _last_tuesday() -> datetime:
    now = timezone.now()
    days = (now.weekday() - 1) % 7 or 7
    return (now - timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)
