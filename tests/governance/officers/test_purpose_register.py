"""The register of purposes: what a purpose amounts to, what it lacks, who is responsible, and in which languages."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import Notice, Party, Purpose, PurposeText
from consent.pseudonyms import subject_ref
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
LIST = "/admin/consent/purpose/"
EVIL = "<script>alert(1)</script>"


def _url(purpose):
    return reverse("admin:consent_purpose_change", args=[purpose.pk])


def _text(response):
    return " ".join(response.content.decode().split())


def _attention(officer):
    return {str(item["title"]): item for item in officer.get("/admin/").context["attention"]}


def _blocks(officer, purpose):
    return [block["title"] for block in officer.get(_url(purpose)).context["overview"]["blocks"]]


@pytest.fixture
def purpose(register_in_force):
    return Purpose.objects.get(slug="newsletter")


def _answer(person, purpose, *, explicit):
    choice = ledger.Choice(purpose=purpose.slug, choice="give", explicit=explicit)
    who = subject_ref(person)
    ledger.save_choices(ledger.Request(subject_ref=who, choices=[choice], source="api", actor="test", region="DE"))


def _staff(*permissions):
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def test_the_page_says_what_the_purpose_amounts_to(officer, purpose):
    page = officer.get(_url(purpose))

    shown = _text(page)
    for fact in ("Off until a person allows it", "Mail House", "Northwind Shop", "730 days", "Version 1, en", "email"):
        assert fact in shown, fact
    assert page.context["overview"]["blocks"] == []
    assert "{&#x27;" not in shown


@pytest.mark.parametrize(
    ("slug", "switch"),
    [
        ("newsletter", "Off until a person allows it"),
        ("usage_statistics", "On until a person objects"),
        ("order_fulfilment", "No switch"),
    ],
)
def test_it_says_whether_people_can_switch_it_and_why(officer, register_in_force, slug, switch):
    page = officer.get(_url(Purpose.objects.get(slug=slug)))

    assert page.context["overview"]["switch"][0] == switch
    assert switch in officer.get(LIST).content.decode()


def test_people_are_counted_by_state(officer, purpose, api):
    for person, choice in (("a", "give"), ("b", "give"), ("c", "refuse"), ("d", "give")):
        api.save(person, choice, "newsletter")
    api.save("d", "withdraw", "newsletter")
    api.save("e", "give", "recommendations")

    figure = officer.get(_url(purpose)).context["overview"]["people"]

    assert figure.rows == (("Given", "2"), ("Refused", "1"), ("Withdrawn", "1"))


def test_a_recipient_nobody_registered_is_marked(officer, purpose):
    Purpose.objects.filter(pk=purpose.pk).update(recipients=["mail-house", "print-shop"])

    assert "print-shop <span" in _text(officer.get(_url(purpose)))
    assert "not among the parties" in _text(officer.get(_url(purpose)))


def test_what_is_missing_is_named_on_the_page_in_the_list_and_on_the_start_page(officer, register_in_force):
    silent = Purpose.objects.create(slug="silent", name="Silent", benefit="b", actions=["contact"])
    assert _blocks(officer, silent) == ["No notice"]
    assert "No notice" in officer.get(LIST).content.decode()

    Party.objects.filter(role="controller").delete()

    assert _blocks(officer, silent) == ["No notice", "No controller"]
    found = _attention(officer)
    assert found["“Silent” has no notice"]["severity"] == "soon"
    assert officer.get(found["“Silent” has no notice"]["url"]).status_code == 200
    assert found["No controller is registered"]["url"] == "/admin/consent/party/add/"


def test_a_purpose_that_names_its_own_controller_is_not_blocked(officer, purpose):
    other = Party.objects.create(slug="other", role="processor", name="Other", address="a", country="DE")
    Party.objects.filter(role="controller").delete()
    Purpose.objects.filter(pk=purpose.pk).update(controller=other)

    assert _blocks(officer, purpose) == []


def test_sensitive_data_needs_consent_that_is_asked_explicitly(officer, purpose):
    Purpose.objects.filter(pk=purpose.pk).update(data_categories=["health", "views"])
    _answer("a", purpose, explicit=True)
    assert _blocks(officer, purpose) == []
    assert "health · sensitive" in _text(officer.get(_url(purpose)))

    _answer("b", purpose, explicit=False)

    assert _blocks(officer, purpose) == ["Sensitive data, but consent is not asked explicitly"]
    assert "1 of 2 consents are not explicit" in _text(officer.get(_url(purpose)))


def test_sensitive_data_on_another_legal_basis_is_blocked(officer, register_in_force):
    orders = Purpose.objects.get(slug="order_fulfilment")
    Purpose.objects.filter(pk=orders.pk).update(data_categories=["health"])

    assert _blocks(officer, orders) == ["Sensitive data without consent"]
    assert "Sensitive data without consent" in officer.get(LIST).content.decode()


def test_the_start_page_lists_the_languages_a_purpose_lacks(officer, purpose, settings):
    title = "“Newsletter” is not described in every language"
    settings.LANGUAGES = [("en", "English")]
    assert title not in _attention(officer), "one language only"

    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    assert _attention(officer)[title]["detail"] == "Name and benefit are missing in: German."

    PurposeText.objects.create(purpose=purpose, locale="de", name="Rundbrief", benefit="b")
    assert title not in _attention(officer)


def test_another_language_is_written_on_the_page_and_audited(officer, purpose, send):
    text = {
        "texts-TOTAL_FORMS": "1",
        "texts-0-locale": "de",
        "texts-0-name": "Rundbrief",
        "texts-0-benefit": "Höchstens zweimal im Monat.",
        "texts-0-purpose": purpose.pk,
    }

    assert send(_url(purpose), **text).status_code == 302
    second_newest()

    assert purpose.texts.get().name == "Rundbrief"
    event = AuditEvent.objects.get(action="changes.applied")
    assert event.details["author"] == "officer:anna"
    assert event.details["changes"][0]["fields"]["texts"][1]["de"]["name"] == "Rundbrief"
    assert "German" in officer.get(LIST).content.decode()


@pytest.mark.parametrize("changes", [{"texts-0-locale": "xx-evil"}, {"texts-0-benefit": "x" * 2001}])
def test_a_wrong_language_or_an_endless_text_is_refused(officer, purpose, send, changes):
    text = {
        "texts-TOTAL_FORMS": "1", "texts-0-locale": "de", "texts-0-name": "n", "texts-0-benefit": "b",
        "texts-0-purpose": purpose.pk,
    }  # fmt: skip

    assert send(_url(purpose), **{**text, **changes}).status_code == 200
    assert not purpose.texts.exists()


def test_hostile_names_are_shown_as_text(officer, purpose):
    Purpose.objects.filter(pk=purpose.pk).update(name=EVIL, recipients=[EVIL], data_categories=[EVIL])
    Party.objects.filter(role="controller").update(name=EVIL)

    for path in (LIST, _url(purpose), "/admin/consent/party/", "/admin/"):
        assert EVIL not in officer.get(path).content.decode(), path


def test_who_may_only_look_sees_the_page_but_changes_nothing(purpose):
    reader = _staff("view_purpose")

    assert "Off until a person allows it" in _text(reader.get(_url(purpose)))
    assert "Write the next version" not in _text(reader.get(_url(purpose)))
    assert reader.post(_url(purpose), {"name": "x"}).status_code == 403
    assert reader.get("/admin/consent/party/").status_code == 403


def test_who_may_see_no_purposes_sees_no_overview(purpose):
    assert _staff("view_notice").get(_url(purpose)).status_code == 403


def test_the_list_costs_no_more_statements_with_more_purposes(officer, register_in_force, sql):
    def cost():
        sql.clear()
        officer.get(LIST)
        return len(sql)

    cost()
    few = cost()
    for number in range(4):
        Purpose.objects.create(slug=f"p-{number}", name=f"P {number}", benefit="b")

    assert cost() == few


def test_the_start_page_costs_no_more_statements_with_more_purposes(officer, register_in_force, sql):
    def cost():
        sql.clear()
        officer.get("/admin/")
        return len(sql)

    cost()
    few = cost()
    for number in range(4):
        Purpose.objects.create(slug=f"p-{number}", name=f"P {number}", benefit="b", actions=["collect"])

    assert cost() == few


# Parties


def _party(**changes):
    return {
        "name": "Print Shop", "slug": "print-shop", "role": "recipient", "address": "Road 1, Bonn", "country": "de",
        "email": "", "phone": "", "url": "print.example", **changes,
    }  # fmt: skip


def test_a_party_is_added_changed_and_removed_under_audit(officer, register_in_force):
    assert officer.post("/admin/consent/party/add/", _party()).status_code == 302
    second_newest()
    party = Party.objects.get(slug="print-shop")
    assert (party.country, party.url) == ("DE", "https://print.example")

    page = reverse("admin:consent_party_change", args=[party.pk])
    officer.post(page, _party(name="Printers", slug="other"))
    second_newest()
    party.refresh_from_db()
    assert (party.name, party.slug) == ("Printers", "print-shop"), "the name in the API never changes"
    officer.post(reverse("admin:consent_party_delete", args=[party.pk]), {"post": "yes"})
    second_newest()

    assert not Party.objects.filter(slug="print-shop").exists()
    events = AuditEvent.objects.filter(action="changes.applied").order_by("position")
    assert [event.details["changes"][0]["key"] for event in events] == ["print-shop"] * 3
    assert {event.details["author"] for event in events} == {"officer:anna"}


@pytest.mark.parametrize(
    "changes", [{"country": "Germany"}, {"country": "1é"}, {"role": "king"}, {"email": "x"}, {"url": "javascript:1"}]
)
def test_a_party_that_cannot_be_reached_is_refused(officer, register_in_force, changes):
    before = Party.objects.count()

    assert officer.post("/admin/consent/party/add/", _party(**changes)).status_code == 200
    assert Party.objects.count() == before


def test_the_controller_of_a_purpose_cannot_be_removed(officer, purpose):
    party = Party.objects.get(role="controller")
    Purpose.objects.filter(pk=purpose.pk).update(controller=party)

    officer.post(reverse("admin:consent_party_delete", args=[party.pk]), {"post": "yes"})

    assert Party.objects.filter(pk=party.pk).exists()


def test_the_register_keeps_its_notices(officer, purpose):
    before = Notice.objects.count()

    officer.get(_url(purpose))

    assert Notice.objects.count() == before
