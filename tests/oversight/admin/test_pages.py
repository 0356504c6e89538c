"""A purpose is widened in the browser by two officers, seen before it is in force, and undone."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit.models import AuditEvent
from common.actors import Officer
from consent.models import DataCategory, Notice, Purpose
from governance.officers.rights_register import operator_writes
from oversight.models import ChangeSet
from tests.helpers.people import Save
from tests.helpers.registers import drafted, in_force, make_account, make_officer, purpose_with, without_writer
from tests.helpers.registers import widened as with_notice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def guarded(register_in_force: None) -> Any:
    with without_writer():
        yield


@pytest.fixture
def colleague(register_in_force: None) -> Client:
    client = Client()
    client.force_login(make_account("ben"))
    return client


def officer_of(client: Client) -> Officer:
    account = User.objects.get(pk=client.session["_auth_user_id"])
    return Officer.of(account.username, account.pk)


def purpose() -> Purpose:
    return Purpose.objects.get(slug="recommendations")


def page_of(row: Purpose) -> str:
    return f"/admin/consent/purpose/{row.pk}/change/"


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def take(client: Client, change_set: ChangeSet, name: str, why: str = "") -> Any:
    """Press a button of the page, as it is shown."""
    page = client.get(f"/admin/changes/{change_set.pk}/")
    assert f'action="/admin/changes/{change_set.pk}/{name}"' in text_of(page), f"{name} is not offered"
    body = {"because": why, "seen": page.context["set"].digest, "confirms": "yes", "confirmed": "compared"}
    return client.post(f"/admin/changes/{change_set.pk}/{name}", body, follow=True)


def reason_form(stored: int) -> dict[str, str]:
    """What the form of a purpose with ``stored`` reasons sends for one more."""
    category = DataCategory.objects.get(slug="postal_address")
    return {
        "data_reasons-TOTAL_FORMS": str(stored + 1),
        f"data_reasons-{stored}-category": str(category.pk),
        f"data_reasons-{stored}-locale": "en",
        f"data_reasons-{stored}-reason": "To show what is near you.",
    }


def mend(client: Client, change_set: ChangeSet) -> Any:
    """Press the button that drafts the next version of the notice."""
    page = text_of(client.get(f"/admin/changes/{change_set.pk}/"))
    assert "Draft the next notice version in this set" in page
    return client.post(f"/admin/changes/{change_set.pk}/remedy/notice_says_less", follow=True)


def propose_past_the_page(client: Client, change_set: ChangeSet) -> str:
    """Send what the page does not offer; return the page with its refusal."""
    page = f"/admin/changes/{change_set.pk}/"
    assert f'action="{page}propose"' not in text_of(client.get(page))
    answer = text_of(client.post(f"{page}propose", {"seen": change_set.digest}, follow=True))
    change_set.refresh_from_db()
    assert change_set.state == "draft"
    return answer


@pytest.fixture
def widened(officer: Client, send: Save) -> ChangeSet:
    answer = send(page_of(purpose()), data_categories="views, purchases, ratings, postal_address", **reason_form(3))
    change_set = ChangeSet.objects.get()
    assert answer["Location"] == f"/admin/changes/{change_set.pk}/"
    mend(officer, change_set)
    return change_set


def test_saving_the_form_drafts_and_changes_nothing(officer: Client, widened: ChangeSet) -> None:
    assert purpose().data_categories == ["views", "purchases", "ratings"]

    shown = text_of(officer.get(f"/admin/changes/{widened.pk}/"))
    assert "views, purchases, ratings, postal_address" in shown
    assert "People whose yes to “Recommendations” counts" in shown


def test_two_officers_bring_it_into_force_and_undo_it(officer: Client, colleague: Client, widened: ChangeSet) -> None:
    take(officer, widened, "propose", "we need it")
    assert "Change set to approve" in text_of(colleague.get("/admin/"))
    assert "Change set to approve" not in text_of(officer.get("/admin/"))

    assert "In force." in text_of(take(colleague, widened, "approve"))
    assert purpose().data_categories == ["views", "purchases", "ratings", "postal_address"]
    assert "Change processing activity “Recommendations”" in text_of(officer.get(page_of(purpose())))

    take(officer, widened, "undo", "a mistake")
    take(officer, ChangeSet.objects.get(undoes=widened), "protective")
    assert purpose().data_categories == ["views", "purchases", "ratings"]
    assert "A change set was applied alone" in text_of(colleague.get("/admin/"))


def test_the_author_is_offered_no_approval(officer: Client, widened: ChangeSet) -> None:
    take(officer, widened, "propose")

    shown = text_of(officer.get(f"/admin/changes/{widened.pk}/"))
    assert "Another officer has to approve this change set" in shown
    assert "/approve" not in shown
    answer = officer.post(f"/admin/changes/{widened.pk}/approve", {"seen": widened.digest}, follow=True)
    assert "You are its author. Another officer has to approve this change set" in text_of(answer)
    assert len(purpose().data_categories) == 3


def test_an_approval_of_what_was_not_shown_is_refused(officer: Client, colleague: Client, widened: ChangeSet) -> None:
    take(officer, widened, "propose")

    answer = colleague.post(f"/admin/changes/{widened.pk}/approve", {"seen": "0" * 64}, follow=True)

    assert "has changed since you opened it" in text_of(answer)
    assert len(purpose().data_categories) == 3


def test_a_draft_is_brought_up_to_date_and_clashes_are_named(
    officer: Client, colleague: Client, widened: ChangeSet
) -> None:
    in_force(make_officer("carl"), make_officer("dora"), purpose_with("recommendations", data_categories=["views"]))

    shown = text_of(take(officer, widened, "rebase"))

    assert "Both changed, your value stands: purpose recommendations: data_categories" in shown
    take(officer, widened, "propose")
    take(colleague, widened, "approve")
    assert len(purpose().data_categories) == 4


def test_saving_the_form_again_replaces_the_own_draft(send: Save, widened: ChangeSet) -> None:
    send(page_of(purpose()), data_categories="views")

    change = ChangeSet.objects.get().changes.get(register="purpose")
    assert change.after["data_categories"] == ["views"]


def test_saving_what_is_there_already_says_so(officer: Client, send: Save) -> None:
    send(page_of(purpose()))

    assert "The registers say this already." in text_of(officer.get("/admin/"))
    assert not ChangeSet.objects.exists()


def test_a_reason_of_the_form_is_proposed_and_comes_into_force(
    officer: Client, colleague: Client, widened: ChangeSet
) -> None:
    assert "Data reasons, postal_address/en: reason" in text_of(officer.get(f"/admin/changes/{widened.pk}/"))
    assert not purpose().data_reasons.filter(category__slug="postal_address").exists()

    take(officer, widened, "propose")
    take(colleague, widened, "approve")

    assert purpose().data_reasons.get(category__slug="postal_address").reason == "To show what is near you."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"recipients": "data-broker"}, "“data-broker” is not among the parties."),
        ({"data_categories": "views, shoe_size"}, "“shoe_size” is no data category."),
        ({"data_categories": "views, postal_address"}, "No reason is given why “postal_address” is needed."),
    ],
)
def test_a_form_with_an_unknown_name_drafts_nothing(send: Save, fields: dict[str, str], said: str) -> None:
    answer = send(page_of(purpose()), **fields)

    assert answer.status_code == 200
    assert said in text_of(answer)
    assert not ChangeSet.objects.exists()


def test_a_data_category_is_drafted_with_its_texts(officer: Client, colleague: Client) -> None:
    form = {
        "name": "shoe size", "slug": "shoe_size", "fideslang_key": "", "dpv_term": "", "texts-TOTAL_FORMS": "1",
        "texts-INITIAL_FORMS": "0", "texts-0-locale": "de", "texts-0-name": "Schuhgröße",
    }  # fmt: skip
    officer.post("/admin/consent/datacategory/add/", form)
    assert not DataCategory.objects.filter(slug="shoe_size").exists()

    change_set = ChangeSet.objects.get()
    take(officer, change_set, "propose")
    take(colleague, change_set, "approve")

    assert DataCategory.objects.get(slug="shoe_size").texts.get(locale="de").name == "Schuhgröße"


def test_a_data_category_in_use_cannot_be_proposed_away(officer: Client) -> None:
    used = DataCategory.objects.get(slug="postal_address")
    officer.post(f"/admin/consent/datacategory/{used.pk}/delete/", {"post": "yes"})

    assert not ChangeSet.objects.exists()
    assert DataCategory.objects.filter(slug="postal_address").exists()


def test_a_new_purpose_comes_with_its_notice(officer: Client, colleague: Client) -> None:
    form = {
        "name": "Surveys", "slug": "surveys", "benefit": "You say what is wrong.", "legal_basis": "consent",
        "order": "60", "is_active": "on", "actions": "contact", "max_level": "none", "channels": "email",
        "data_categories": "postal_address", "consent_valid_for": "365", "dpv_purpose": "ServiceProvision",
        "notice": "We ask you what you think.", "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
        "data_reasons-INITIAL_FORMS": "0", **reason_form(0),
    }  # fmt: skip
    officer.post("/admin/consent/purpose/add/", form)
    change_set = ChangeSet.objects.get()

    take(officer, change_set, "propose")
    take(colleague, change_set, "approve")

    assert Notice.objects.get(purpose__slug="surveys").text == "We ask you what you think."


def test_a_new_purpose_without_notice_cannot_be_proposed(officer: Client) -> None:
    form = {
        "name": "Surveys", "slug": "surveys", "benefit": "You say what is wrong.", "legal_basis": "consent",
        "order": "60", "is_active": "on", "actions": "contact", "max_level": "none", "channels": "email",
        "data_categories": "postal_address", "consent_valid_for": "365", "dpv_purpose": "ServiceProvision",
        "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
        "data_reasons-INITIAL_FORMS": "0", **reason_form(0),
    }  # fmt: skip
    officer.post("/admin/consent/purpose/add/", form)

    assert "has no notice: people are not informed" in propose_past_the_page(officer, ChangeSet.objects.get())


def test_change_sets_are_not_for_everybody(widened: ChangeSet) -> None:
    with operator_writes():
        account = User.objects.create_user("carl", password="a long password", is_staff=True)
    carl = Client()
    carl.force_login(account)
    for path in ("/admin/changes/", f"/admin/changes/{widened.pk}/"):
        assert carl.get(path).status_code == 403
    assert carl.post(f"/admin/changes/{widened.pk}/withdraw").status_code == 403

    with operator_writes():
        account.user_permissions.add(Permission.objects.get(codename="view_changeset"))
    carl.force_login(User.objects.get(pk=account.pk))
    assert carl.get("/admin/changes/").status_code == 200
    assert carl.post(f"/admin/changes/{widened.pk}/withdraw").status_code == 403


def test_the_list_is_filtered_by_state(officer: Client, widened: ChangeSet) -> None:
    assert widened.title in text_of(officer.get("/admin/changes/?state=draft"))
    assert widened.title not in text_of(officer.get("/admin/changes/?state=in_force"))
    assert officer.get("/admin/changes/?state=nonsense&page=x").status_code == 200


def test_a_widening_without_its_notice_cannot_be_proposed(officer: Client, send: Save) -> None:
    send(page_of(purpose()), data_categories="views, purchases, ratings, postal_address", **reason_form(3))
    change_set = ChangeSet.objects.get()

    assert "Draft the next version in the same set." in propose_past_the_page(officer, change_set)

    assert "New in this version: postal address." in text_of(mend(officer, change_set))
    take(officer, change_set, "propose")
    change_set.refresh_from_db()
    assert change_set.state == "proposed"


def test_nobody_but_its_author_mends_a_draft(officer: Client, colleague: Client, send: Save) -> None:
    send(page_of(purpose()), data_categories="views, purchases, ratings, postal_address", **reason_form(3))
    change_set = ChangeSet.objects.get()

    answer = colleague.post(f"/admin/changes/{change_set.pk}/remedy/notice_says_less", follow=True)

    assert "Only its author" in text_of(answer)
    assert change_set.changes.count() == 1
    assert "Nothing is to be mended" in text_of(
        officer.post(f"/admin/changes/{change_set.pk}/remedy/nonsense", follow=True)
    )


def test_a_text_that_asks_nobody_is_confirmed_by_the_second_officer(
    officer: Client, colleague: Client, widened: ChangeSet
) -> None:
    take(officer, widened, "propose")
    page = colleague.get(f"/admin/changes/{widened.pk}/")
    assert "its text is said to say no more than the lists" in text_of(page)
    body = {"because": "", "seen": page.context["set"].digest, "confirmed": "not ticked"}

    answer = colleague.post(f"/admin/changes/{widened.pk}/approve", body, follow=True)

    assert "Confirm it with a reason, or refuse the set." in text_of(answer)
    assert Notice.objects.filter(purpose=purpose(), version=2).count() == 0

    assert "“compared”" in text_of(take(colleague, widened, "approve"))
    assert widened.approvals.get().confirmed["reason"] == "compared"
    assert AuditEvent.objects.get(action="changes.applied").details["confirmed"]["reason"] == "compared"
    assert Notice.objects.filter(purpose=purpose(), version=2, is_material=False).exists()


def test_a_text_that_asks_everybody_needs_no_confirmation(officer: Client, colleague: Client) -> None:
    change_set = drafted(
        officer_of(officer), *with_notice("recommendations", data_categories=["views", "postal_address"])
    )
    take(officer, change_set, "propose")

    page = colleague.get(f"/admin/changes/{change_set.pk}/")

    assert "say no more than the lists" not in text_of(page)
    colleague.post(f"/admin/changes/{change_set.pk}/approve", {"seen": page.context["set"].digest})
    assert Notice.objects.get(purpose=purpose(), version=2).is_material
