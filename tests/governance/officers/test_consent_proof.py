"""One person's consent on one page: who may look, what is shown, that looking is audited, and that ids stay secret."""

import io
import logging
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit import trail
from audit.models import AuditEvent
from consent.ledger import ledger
from consent.ledger.proof import Asked, Guardian
from consent.models import ConsentRecord, DataSubject, Notice, Purpose
from consent.pseudonyms import subject_ref
from consent.receipts.manifest import verify_evidence
from consent.register import register
from personalization.models import Event, Item
from privacy.models import Disposal
from tests.helpers.holds import Register, hold
from tests.helpers.visitor import forms_in

pytestmark = pytest.mark.django_db
SEARCH = "/admin/consent/proof/"
SECRET = "customer-1"
REF = subject_ref(SECRET)
PAGE = f"{SEARCH}{REF}/"


def _save(*choices, ref=REF, **more):
    request = {"source": "banner", "actor": "service:shop", "region": "DE", **more}
    return ledger.save_choices(ledger.Request(subject_ref=ref, choices=choices, **request))


@pytest.fixture
def saved(register_in_force):
    return _save(
        ledger.Choice(purpose="recommendations", choice="give", explicit=True, told_of_conflict=True),
        ledger.Choice(purpose="newsletter", choice="refuse", channel="email"),
        asked=Asked(
            locale="en",
            interface="banner@7",
            layout_sha256="ab" * 32,
            order=("refuse", "accept"),
            signals={"gpc": True},
        ),
        guardian=Guardian(ref=str(uuid4()), method="card_check", adult_on="2040-05-01"),
    )


def _text(response):
    return " ".join(response.content.decode().split())


def _staff(*permissions):
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


# Who gets in


@pytest.mark.parametrize("path", [SEARCH, PAGE, f"{PAGE}receipts/1.json"], ids=["search", "person", "receipt"])
def test_strangers_and_customers_are_sent_to_sign_in(saved, path):
    somebody = Client()
    somebody.force_login(User.objects.create_user("somebody", password="a long password"))

    for browser in (Client(), somebody):
        assert browser.get(path).headers["Location"].startswith("/admin/login/")
        assert browser.post(f"{PAGE}evidence.zip").headers["Location"].startswith("/admin/login/")
    assert not AuditEvent.objects.filter(action="subject.looked_up").exists()


def test_an_officer_needs_the_right_to_see_people(saved):
    without, with_right = _staff("view_consentrecord", "view_notice"), None

    assert [without.get(path).status_code for path in (SEARCH, PAGE, f"{PAGE}receipts/1.json")] == [403] * 3
    assert without.post(SEARCH, {"business_id": SECRET}).status_code == 403
    assert without.post(f"{PAGE}evidence.zip").status_code == 403
    assert not AuditEvent.objects.filter(action__in=["subject.looked_up", "evidence.exported"]).exists()
    assert "Consent proof" not in without.get("/admin/").content.decode()

    User.objects.all().delete()
    with_right = _staff("view_datasubject")
    assert [with_right.get(path).status_code for path in (SEARCH, PAGE)] == [200] * 2
    assert with_right.post(f"{PAGE}evidence.zip").status_code == 200
    assert "Consent proof" in with_right.get("/admin/").content.decode()


def test_a_page_of_another_site_cannot_ask_for_the_evidence(officer, saved):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="anna"))

    assert strict.post(f"{PAGE}evidence.zip").status_code == 403
    assert strict.post(SEARCH, {"business_id": SECRET}).status_code == 403
    assert officer.get(f"{PAGE}evidence.zip").status_code == 405


# The search


def test_the_customers_id_leads_to_the_pseudonym_and_stays_nowhere(officer, saved, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = officer.post(SEARCH, {"business_id": SECRET})
        page = officer.get(answer.headers["Location"])

    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    for response in (answer, page):
        assert SECRET not in response.content.decode()
        assert SECRET not in str(response.headers) + str(response.cookies)
    assert SECRET not in caplog.text
    assert SECRET not in str(list(AuditEvent.objects.values_list("object", "details")))
    assert all(form["method"] == "post" for form in forms_in(officer.get(SEARCH)) if "business_id" in form["fields"])


@pytest.mark.parametrize("cut", [8, 13, 36])
@pytest.mark.parametrize("form", ["{}", "  {}… "])
def test_a_pseudonym_or_its_beginning_leads_to_the_page(officer, saved, cut, form):
    answer = officer.post(SEARCH, {"pseudonym": form.format(str(REF)[:cut].upper())})

    assert answer.headers["Location"] == PAGE


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"business_id": "x" * 257}, {"business_id": "a\x00b"}, {"pseudonym": "1234567"},
        {"pseudonym": "not hexadecimal"}, {"pseudonym": "f" * 33}, {"pseudonym": "<script>alert(1)</script>"},
    ],
)  # fmt: skip
def test_what_cannot_be_an_id_is_refused_and_not_repeated(officer, saved, asked):
    answer = officer.post(SEARCH, asked)

    assert answer.status_code == 400
    assert all(value not in answer.content.decode() for value in asked.values())
    assert not AuditEvent.objects.filter(action="subject.looked_up").exists()


def test_a_beginning_that_fits_several_people_names_none_of_them(officer, register_in_force):
    for ending in "12":
        DataSubject.objects.create(ref=f"aaaaaaaa-0000-0000-0000-00000000000{ending}")

    answer = officer.post(SEARCH, {"pseudonym": "aaaaaaaa"})

    assert answer.status_code == 400
    assert "More than one pseudonym begins like this." in _text(answer)
    assert "aaaaaaaa-" not in answer.content.decode()


def test_unknown_people_look_alike_however_they_were_asked_for(officer, saved):
    by_id = officer.post(SEARCH, {"business_id": "nobody"}, follow=True)
    by_pseudonym = officer.post(SEARCH, {"pseudonym": str(uuid4())}, follow=True)
    by_beginning = officer.post(SEARCH, {"pseudonym": "00000000ff"}, follow=True)

    for answer in (by_id, by_pseudonym, by_beginning):
        assert "Nothing is known about this person" in _text(answer)
        assert "evidence.zip" not in answer.content.decode()
        assert str(REF) not in answer.content.decode()
    looked_up = AuditEvent.objects.filter(action="subject.looked_up")
    assert [event.details["known"] for event in looked_up] == [False] * 3


def test_every_look_is_audited_and_counted_per_officer(officer, saved):
    for _ in range(3):
        officer.get(PAGE)
    officer.get(f"{SEARCH}{uuid4()}/")

    events = AuditEvent.objects.filter(action="subject.looked_up", object=str(REF))
    assert [(event.actor, event.details["known"]) for event in events] == [("officer:anna", True)] * 3
    page = officer.get(SEARCH)
    assert page.context["lookups"] == [{"actor": "officer:anna", "times": 4, "people": 2, "name": "Officer anna"}]
    assert str(REF) not in page.content.decode()


# The page


def test_the_page_shows_what_is_in_force_per_purpose_and_part(officer, saved):
    rows = {(row["purpose"], row["part"]): row for row in officer.get(PAGE).context["in_force"]}

    given, refused = rows["Recommendations", ""], rows["Newsletter", "channel: email"]
    assert (given["state"], given["explicit"], given["told"], given["notice"]) == ("Given", True, True, "Version 1, en")
    assert (refused["state"], refused["source"]) == ("Refused", "Consent banner")
    assert rows["Newsletter", ""]["state"] == "Never asked"
    assert rows["Your orders", ""]["state"] == "No consent needed"


def test_a_newer_material_notice_shows_that_the_person_is_asked_again(officer, saved):
    register.publish_notice(purpose=Purpose.objects.get(slug="recommendations"), text="New.", actor="test")

    states = {row["purpose"]: row["state"] for row in officer.get(PAGE).context["in_force"]}

    assert states["Recommendations"] == "To be asked again"


def test_the_timeline_shows_the_text_the_question_and_the_guardian(officer, saved):
    shown = _text(officer.get(PAGE))

    assert "We keep what you look at, rate and buy here for one year" in shown
    for fact in ("banner@7", "refuse, accept", "ab" * 32, "Global Privacy Control", "card check", "2040-05-01"):
        assert fact in shown, fact
    for raw in ("{&#x27;", "{&quot;", "[&#x27;", "told_of_signal_conflict"):
        assert raw not in shown, "a document is shown raw"


def test_the_text_is_the_one_that_was_shown_not_the_newest(officer, saved):
    purpose = Purpose.objects.get(slug="recommendations")
    register.publish_notice(purpose=purpose, text="Auf Deutsch.", locale="de", version=1, actor="test")
    register.publish_notice(purpose=purpose, text="Newest text.", actor="test")
    _save(ledger.Choice(purpose="recommendations", choice="give", notice_version=1), asked=Asked(locale="de"))

    newest = officer.get(PAGE).context["records"][0]["notice"]

    assert (newest["text"], newest["locale"], newest["version"], newest["proven"]) == ("Auf Deutsch.", "de", 1, True)


def test_hostile_text_is_shown_as_text(officer, register_in_force):
    evil = "<script>alert(1)</script>"
    purpose = Purpose.objects.get(slug="recommendations")
    register.publish_notice(purpose=purpose, text=evil, actor="test")
    _save(ledger.Choice(purpose="recommendations", choice="give"), imported={"from": evil}, source=evil[:32])

    page = officer.get(PAGE).content.decode()

    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_import_and_a_record_without_a_text_are_marked(officer, register_in_force):
    bare = Purpose.objects.create(slug="bare", name="Bare", benefit="b")
    _save(ledger.Choice(purpose=bare.slug, choice="give"), imported={"system": "old shop"})

    marks = officer.get(PAGE).context["records"][0]["marks"]

    assert [mark["label"] for mark in marks] == ["Imported", "No notice"]


def test_an_intact_chain_is_said_to_be_intact(officer, saved):
    page = officer.get(PAGE)

    assert page.context["chain"]["ok"]
    assert "Chain intact." in _text(page)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE consent_consentrecord SET state = 'given' WHERE purpose = 'newsletter'",
        "UPDATE consent_consentrecord SET proof = '{}'",
        "UPDATE consent_datasubject SET consents = jsonb_set(consents, '{recommendations,s}', '\"refused\"')",
    ],
)
def test_what_was_changed_behind_the_ledger_is_named(officer, saved, as_attacker, forgery):
    as_attacker(forgery)

    page = officer.get(PAGE)

    assert not page.context["chain"]["ok"]
    assert "Chain broken." in _text(page)


def test_events_say_whether_they_are_sealed(officer, saved):
    trail.anchor()

    events = officer.get(PAGE).context["events"]

    assert [(event["what"], event["sealed"], event["changed"]) for event in events] == [
        ("Subject looked up", False, False),
        ("Consent refused", True, False),
        ("Consent given", True, False),
    ]


def test_holds_and_deletions_are_shown(officer, saved):
    purpose = Purpose.objects.get(slug="recommendations")
    DataSubject.objects.filter(ref=REF).update(held=True, restricted=True)
    Disposal.objects.create(
        reason="withdrawal", purpose=purpose, subject_ref=REF, before="2026-01-01T00:00Z", removed={"events": 3},
        manifest_sha256="cd" * 32,
    )  # fmt: skip

    shown = _text(officer.get(PAGE))

    assert "Legal hold." in shown
    assert "Restricted." in shown
    assert "cd" * 32 in shown


def test_the_page_costs_no_more_statements_with_a_longer_history(officer, saved, sql):
    def cost():
        sql.clear()
        officer.get(PAGE)
        return len(sql)

    cost()
    few = cost()
    for choice in ("withdraw", "give", "withdraw", "give"):
        _save(ledger.Choice(purpose="recommendations", choice=choice))

    assert cost() == few <= 23


# What is handed out


def test_the_evidence_is_a_signed_zip_and_its_export_is_audited(officer, saved):
    answer = officer.post(f"{PAGE}evidence.zip")

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="consent-evidence-{REF}.zip"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert verify_evidence(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"records.json", "notices.json", "audit.json", "receipts/000001.json"} <= set(archive.namelist())
    event = AuditEvent.objects.get(action="evidence.exported")
    assert (event.object, event.actor) == (str(REF), "officer:anna")


def test_there_is_no_evidence_about_nobody(officer, saved):
    answer = officer.post(f"{SEARCH}{uuid4()}/evidence.zip")

    assert answer.headers["Location"] == SEARCH
    assert not AuditEvent.objects.filter(action="evidence.exported").exists()


def test_a_receipt_is_handed_out_signed_and_audited(officer, saved):
    answer = officer.get(f"{PAGE}receipts/1.json")

    assert answer.json()["receipt"]["consent_record"]["pii_principal_id"] == str(REF)
    assert AuditEvent.objects.get(action="receipt.exported").details == {"subject_revision": 1, "groups": []}
    assert officer.get(f"{PAGE}receipts/9.json").status_code == 404
    assert officer.get(f"{SEARCH}{uuid4()}/receipts/1.json").status_code == 404


def test_looking_changes_no_record(officer, saved):
    before = list(ConsentRecord.objects.values()), list(Notice.objects.values()), list(DataSubject.objects.values())

    officer.get(PAGE)
    officer.post(f"{PAGE}evidence.zip")

    assert before == (
        list(ConsentRecord.objects.values()), list(Notice.objects.values()), list(DataSubject.objects.values())
    )  # fmt: skip


def test_a_changed_level_stands_on_the_text_of_its_consent(officer, saved):
    _save(ledger.Choice(purpose="recommendations", choice="adjust", max_level="segment"))

    page = officer.get(PAGE)

    newest = page.context["records"][0]
    assert (newest["limit"], newest["notice"]["proven"], newest["marks"]) == ("Segment", True, [])
    rows = {(row["purpose"], row["part"]): row for row in page.context["in_force"]}
    assert rows["Recommendations", ""]["notice"] == "Version 1, en"


def test_a_hold_is_named_with_its_purposes(officer, saved):
    Register().place(hold(people=[str(REF)], purposes=["newsletter"]))

    answer = officer.get(PAGE)

    assert answer.context["holds"][0]["name"] == "claim-17"
    assert "Purposes: newsletter." in _text(answer)


def _name(slug):
    return Purpose.objects.get(slug=slug).name


def test_the_page_says_until_when_data_is_kept(officer, saved):
    received = datetime(2026, 11, 1, tzinfo=UTC)
    Item.objects.create(slug="kettle", title="Kettle")
    for purpose in ("recommendations", "personalization"):
        Event.objects.create(
            id=uuid4(), subject_ref=REF, purpose=purpose, kind="view", item_id="kettle", weight=1,
            occurred_at=received, received_at=received,
        )  # fmt: skip

    free = {row["purpose"]: row for row in officer.get(PAGE).context["stored"]}
    assert free[_name("recommendations")]["first"] == received + timedelta(days=365)
    assert "no retention schedule" in free[_name("personalization")]["why"]
    assert "proof" in free["Every purpose"]["why"]

    Register().place(hold(people=[str(REF)], purposes=["recommendations"]))
    kept = {row["purpose"]: row for row in officer.get(PAGE).context["stored"]}
    assert "released" in kept[_name("recommendations")]["why"]
