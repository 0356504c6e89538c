"""People read English, German, French or Spanish; officers and programs read English whatever they ask for."""
# ruff: noqa: RUF001 (typographic apostrophes are meant)

import gettext
import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from audit.models import AuditEvent
from common.http.problems import TooManyRequests
from consent.models import ConsentRecord, Notice, Purpose, PurposeText
from governance.demo import register
from governance.privacy_center import pages
from personalization.models import Item, PopularItem
from policies.bundles import reasons
from tests.helpers.catalogue import ROOT, entries, templates, written
from tests.helpers.visitor import Visitor

OTHERS = ["de", "fr", "es"]
_HOLES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+>")
_CATALOGUES = [ROOT / "locale" / language / "LC_MESSAGES" / "django.po" for language in OTHERS]
every_catalogue = pytest.mark.parametrize("catalogue", _CATALOGUES, ids=OTHERS)


@pytest.fixture
def translated(register_in_force, kept_translations):
    kept_translations.lay()


@pytest.fixture
def visitor(translated):
    return Visitor("customer-1").come_in()


def _text(response):
    return " ".join(response.content.decode().split())


# --- the catalogues ---------------------------------------------------------------------------------


def test_every_language_that_is_offered_has_a_catalogue():
    assert [code for code, _name in settings.LANGUAGES] == ["en", *OTHERS]
    assert sorted(path.name for path in (ROOT / "locale").iterdir()) == sorted(OTHERS)


@every_catalogue
def test_every_text_for_people_is_translated(catalogue):
    done = {entry.message for entry in entries(catalogue) if all(entry.translations)}

    assert len(written()) > 250
    assert set(written()) - done == set()


@every_catalogue
def test_no_translation_is_a_guess_or_of_a_text_that_is_gone(catalogue):
    _header, *found = entries(catalogue)

    assert [entry.message for entry in found if entry.is_fuzzy] == []
    assert {entry.message for entry in found} - set(written()) == set()
    assert len({entry.message for entry in found}) == len(found)


@every_catalogue
def test_translations_keep_the_placeholders_and_marks_of_the_text(catalogue):
    for entry in entries(catalogue)[1:]:
        wanted = sorted(_HOLES.findall(entry.message[0]))
        assert [sorted(_HOLES.findall(text)) for text in entry.translations] == [wanted] * len(entry.translations)
        assert len(entry.translations) == (2 if entry.message[1] else 1)


@every_catalogue
def test_what_is_compiled_is_what_is_written(catalogue):
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog

    expected = {}
    for entry in entries(catalogue):
        name, plural = entry.message
        places = [(name, index) for index in range(len(entry.translations))] if plural else [name]
        expected |= dict(zip(places, entry.translations, strict=True))
    assert compiled == expected


def test_templates_for_people_leave_no_sentence_unmarked():
    """What is left of a template without its tags, comments and marked texts has no words but names and codes."""
    allowed = {"Assent", "JSON", "UTC", "assent", "verify", "receipt", "FILE", "W3C", "DPV", "LD", "Kantara", "doctype"}
    for path in templates():
        text = re.sub(
            r"{#.*?#}|{% block referrer %}.*?{% endblock %}|{% blocktranslate.*?endblocktranslate %}",
            "",
            path.read_text(),
            flags=re.DOTALL,
        )
        text = re.sub(r"{%.*?%}|{{.*?}}|&\w+;", "", text, flags=re.DOTALL)
        text = re.sub(r"<[^<>]*>", " ", text)
        assert set(re.findall(r"[A-Za-z]\w{2,}", text)) <= allowed | {"html"}, path


# --- which language an answer is in -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [("de", "de"), ("de-AT, en;q=0.5", "de"), ("fr-CA", "fr"), ("pt, es;q=0.8", "es"), ("ja", "en"), ("", "en")],
)
def test_a_page_is_in_the_browsers_language(db, header, language):
    page = Client().get("/", headers={"Accept-Language": header} if header else {})

    assert f'<html lang="{language}" dir="ltr">' in page.content.decode()
    assert page.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", "))


def test_a_link_chooses_and_a_cookie_keeps_the_choice(db):
    browser = Client(headers={"Accept-Language": "de"})

    chosen = browser.get("/?lang=fr")
    later = browser.get("/privacy/ranking")

    assert chosen.status_code == 200
    assert '<html lang="fr"' in chosen.content.decode()
    assert '<html lang="fr"' in later.content.decode()
    cookie = chosen.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    assert bool(cookie["secure"]) is settings.SESSION_COOKIE_SECURE
    assert later.cookies == {}


@pytest.mark.parametrize("lang", ["xx", "ja", "de%0d%0aSet-Cookie:x", "//evil.example", "", "../de"])
def test_a_language_nobody_offers_is_as_if_none_were_named(db, lang):
    page = Client().get(f"/?lang={lang}")

    assert (page.status_code, page.cookies) == (200, {})
    assert '<html lang="en"' in page.content.decode()


def test_every_public_page_offers_the_languages_by_their_own_names(db):
    for path in ("/", "/privacy/ranking", "/privacy/", "/nowhere/"):
        page = Client().get(path, headers={"Accept-Language": "de"}).content.decode()
        for code, name in (("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")):
            assert re.search(rf'href="\?lang={code}" lang="{code}"[^>]*>{name}</a>', page), (path, code)
        assert page.count('aria-current="true"') == 1


def test_a_page_that_answers_a_form_leads_to_the_start_page_for_another_language(db):
    refused = Client(headers={"Accept-Language": "es"}).post("/privacy/open", {"token": "nothing"})

    assert refused.status_code == 410
    assert "Este enlace no funciona" in refused.content.decode()
    assert 'href="/?lang=de"' in refused.content.decode()


def test_officers_and_programs_read_english(officer, token):
    german = {"Accept-Language": "de", "Cookie": f"{settings.LANGUAGE_COOKIE_NAME}=de"}

    admin = officer.get("/admin/?lang=de", headers={"Accept-Language": "de"})
    problem = Client().post("/api/v1/recommendations", b"{}", content_type="application/json", headers=german)
    schema = Client().get("/api/docs", headers=german)

    assert '<html lang="en"' in admin.content.decode()
    assert settings.LANGUAGE_COOKIE_NAME not in admin.cookies
    assert (problem.status_code, problem.json()["title"].isascii()) == (401, True)
    assert "Content-Language" not in schema.headers


def test_the_language_of_one_answer_does_not_stay_for_the_next(db):
    Client().get("/", headers={"Accept-Language": "de"})

    assert translation.get_language() == "en"


def test_sentences_for_a_person_follow_the_service_that_asks_and_codes_do_not(api):
    answers = [
        api.post("/api/v1/recommendations", {"subject": {"id": "customer-9"}}, **{"Accept-Language": language}).json()
        for language in ("en", "de")
    ]

    english, german = ([reason["sentence"] for reason in answer["reasons"]] for answer in answers)
    assert [reason["code"] for reason in answers[0]["reasons"]] == [reason["code"] for reason in answers[1]["reasons"]]
    assert english
    assert all(one != other for one, other in zip(english, german, strict=True))


def test_audit_texts_do_not_depend_on_the_persons_language(visitor):
    visitor.browser.get("/privacy/?lang=de")
    visitor.choose("recommendations", "give")

    assert not [event for event in AuditEvent.objects.all() if "Empfehlungen" in str(event.details)]


# --- what a person reads ----------------------------------------------------------------------------


def test_the_dashboard_is_in_the_persons_language_throughout(visitor):
    page = visitor.look(**{"Accept-Language": "de"})

    text = _text(page)
    assert "Sie sehen Empfehlungen der Stufe <em>Allgemein</em>" in text
    assert "Sie haben noch nicht geantwortet." in text
    newsletter = next(purpose for purpose in page.context["purposes"] if purpose["slug"] == "newsletter")
    assert newsletter["benefit"] == "Ein kurzer Brief mit Neuigkeiten und Angeboten, höchstens zweimal im Monat."
    assert newsletter["data_categories"] == ["E-Mail-Adresse"]
    assert str(newsletter["retention"]) == "Zwei Jahre oder bis Sie ihn ausschalten"
    assert newsletter["notice"]["locale"] == "de"
    assert newsletter["notice"]["text"].startswith("Wir nutzen Ihre E-Mail-Adresse")
    assert 'lang="en"' not in text.partition("<nav")[0]


def test_what_nobody_translated_is_english_and_says_so(visitor):
    PurposeText.objects.filter(purpose__slug="newsletter", locale="de").delete()
    purpose = Purpose.objects.create(slug="untold", name="Untold", benefit="Nothing yet.", data_categories=["views"])
    Notice.objects.create(purpose=purpose, version=1, locale="en", text="Only in English.", text_sha256="0" * 64)

    text = _text(visitor.look(**{"Accept-Language": "de"}))

    assert '<h3 id="name-newsletter" lang="en">Newsletter</h3>' in text
    assert '<p class="benefit" lang="en">A short letter' in text
    assert '<p lang="en">Only in English.</p>' in text
    assert '<p lang="de">Wir nutzen Ihre E-Mail-Adresse' in text


def test_a_newer_notice_without_a_translation_is_shown_in_english_rather_than_the_old_one(visitor):
    purpose = Purpose.objects.get(slug="newsletter")
    Notice.objects.create(purpose=purpose, version=2, locale="en", text="The newest.", text_sha256="1" * 64)

    page = visitor.look(**{"Accept-Language": "de"})

    [card] = [purpose for purpose in page.context["purposes"] if purpose["slug"] == "newsletter"]
    assert card["notice"] == {"version": 2, "locale": "en", "text": "The newest."}


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_a_choice_is_recorded_with_the_text_in_the_language_it_was_read_in(visitor, language):
    visitor.browser.get(f"/privacy/?lang={language}")

    visitor.choose("newsletter", "give")

    shown = Notice.objects.get(purpose__slug="newsletter", version=1, locale=language)
    [record] = ConsentRecord.objects.filter(subject_id=visitor.ref)
    assert record.proof["notice"] == {"locale": language, "sha256": shown.text_sha256}


def test_the_receipt_page_is_translated_and_the_signed_file_is_not(visitor):
    visitor.choose("newsletter", "give")
    path = f"/privacy/receipts/{ConsentRecord.objects.get(subject_id=visitor.ref).subject_revision}"

    page = _text(visitor.browser.get(f"{path}?lang=fr"))
    file = visitor.browser.get(f"{path}-signed.json").json()["receipt"]["consent_record"]["processing"][0]

    assert "Reçu de consentement" in page
    assert "Lettre d’information" in page
    assert "Deux ans, ou jusqu’à ce que vous la désactiviez" in page
    assert "We use your e-mail address" in page, "the text that was shown stays in its language"
    assert (file["purpose"]["name"], file["retention_period"]) == ("Newsletter", "Two years, or until you turn it off")


@pytest.mark.parametrize(
    ("language", "written_out"), [("en", "Nov. 5, 2026"), ("de", "5. November 2026"), ("fr", "5 novembre 2026"),
                                  ("es", "5 de noviembre de 2026")]
)  # fmt: skip
def test_dates_are_written_as_the_language_writes_them(language, written_out):
    with translation.override(language):
        text = render_to_string("partials/when.html", {"when": datetime(2026, 11, 5, 14, 5, tzinfo=UTC)})

    assert f'title="{written_out}, 14:05 UTC"' in text


@pytest.mark.parametrize(("language", "price"), [("en", "€ 38.00"), ("de", "38,00\N{NO-BREAK SPACE}€")])
def test_the_shop_and_what_its_script_says_are_translated(translated, language, price):
    page = Client().get("/shop/", headers={"Accept-Language": language}).content.decode()

    name = {"en": "Recommendations", "de": "Empfehlungen"}[language]
    assert f'<data value="recommendations">{name}</data>' in page
    assert price in page


class _UsedUp:
    def take(self, *who):
        raise TooManyRequests(retry_after_s=9)


def test_errors_are_translated(db, monkeypatch):
    german = {"Accept-Language": "de"}
    monkeypatch.setattr(pages, "LINKS_OPENED", _UsedUp())

    missing = Client().get("/nowhere/", headers=german)
    old_form = Client(enforce_csrf_checks=True).post("/privacy/open", {"token": "x"}, headers=german)
    too_often = Client().post("/privacy/open", {"token": "x"}, headers=german)

    assert (missing.status_code, "Hier gibt es keine Seite" in missing.content.decode()) == (404, True)
    assert (old_form.status_code, "Dieses Formular ist zu alt" in old_form.content.decode()) == (403, True)
    assert (too_often.status_code, "Zu viele Versuche" in too_often.content.decode()) == (429, True)


def test_a_fault_of_ours_is_told_in_the_persons_language(db, monkeypatch):
    def broken():
        raise RuntimeError

    monkeypatch.setattr(pages.demonstration, "is_open", broken)

    page = Client(raise_request_exception=False).get("/", headers={"Accept-Language": "fr"})

    assert (page.status_code, "Un problème est survenu de notre côté" in page.content.decode()) == (500, True)
    assert '<html lang="fr"' in page.content.decode()


def test_why_is_the_same_in_english_and_said_in_the_language_of_the_page(visitor):
    item = Item.objects.create(slug="tea", title="Tea")
    PopularItem.objects.create(item=item, people=1, rank=1)

    page = visitor.browser.get("/privacy/ranking", headers={"Accept-Language": "de"})

    assert "Beliebt bei anderen Menschen</p>" in page.content.decode()


@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_has_a_sentence_of_its_own_language(language):
    for code in reasons.CODES:
        english = reasons.for_person(code)
        with translation.override(language):
            assert reasons.for_person(code) != english


# --- the demonstration's register -------------------------------------------------------------------


def test_the_demonstration_is_translated_once_and_nothing_an_officer_wrote_is_touched(register_in_force):
    newsletter = Purpose.objects.get(slug="newsletter")
    PurposeText.objects.create(purpose=newsletter, locale="de", name="Unser Brief", benefit="Kurz.")
    orders = Purpose.objects.get(slug="order_fulfilment")
    Notice.objects.create(purpose=orders, version=2, locale="en", text="Another text.", text_sha256="2" * 64)

    register.ensure_translations()
    counts = PurposeText.objects.count(), Notice.objects.count(), AuditEvent.objects.count()
    register.ensure_translations()

    assert (PurposeText.objects.count(), Notice.objects.count(), AuditEvent.objects.count()) == counts
    assert counts[0] == 15
    assert PurposeText.objects.get(purpose=newsletter, locale="de").name == "Unser Brief"
    assert list(Notice.objects.filter(purpose=orders).values_list("locale", flat=True)) == ["en", "en"]
    assert set(Notice.objects.filter(purpose=newsletter).values_list("locale", flat=True)) == {"en", *OTHERS}
