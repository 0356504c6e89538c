"""Writing a notice: the text in force is there, what changes is shown, and only what was previewed is published."""

import html
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from common import wording
from consent.ledger import selectors
from consent.models import Notice, Purpose, PurposeText
from consent.register import register
from policies.models import ActiveBundle
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def purpose(register_in_force):
    return Purpose.objects.get(slug="recommendations")


def _url(purpose, locale="en", **more):
    query = "&".join(f"{name}={value}" for name, value in {"purpose": purpose.pk, "locale": locale, **more}.items())
    return f"/admin/consent/notice/add/?{query}"


def _text(response):
    return " ".join(response.content.decode().split())


def _preview(officer, url, text="New text.", kind="material", **more):
    based_on = officer.get(url).context["based_on"]
    return officer.post(url, {"text": text, "kind": kind, "based_on": based_on, "step": "preview", **more})


def _publish(officer, url, text="New text.", kind="material", **more):
    seen = _preview(officer, url, text, kind).context["preview"]["seen"]
    based_on = officer.get(url).context["based_on"]
    sent = {"text": text, "kind": kind, "based_on": based_on, "step": "publish", "previewed": seen, **more}
    return officer.post(url, sent)


def test_it_starts_with_the_text_in_force(officer, purpose):
    page = officer.get(_url(purpose))

    assert page.context["draft"].text == purpose.notices.get().text
    assert "It starts as version 1." in _text(page)


def test_a_preview_shows_the_words_that_change_and_publishes_nothing(officer, purpose):
    register.publish_notice(purpose=purpose, text="We keep it for one year.", actor="test")

    page = _preview(officer, _url(purpose), "We keep it for two years.")

    pieces = [(piece.kind, piece.text.strip()) for piece in page.context["preview"]["pieces"]]
    assert ("removed", "one year") in pieces
    assert ("added", "two years") in pieces
    assert "[added:" in _text(page)
    assert Notice.objects.filter(purpose=purpose).count() == 2


def test_people_see_the_new_text_on_their_card_beside_the_other_languages(officer, purpose):
    register.publish_notice(purpose=purpose, text="Auf Deutsch.", locale="de", version=1, actor="test")
    PurposeText.objects.create(purpose=purpose, locale="de", name="Empfehlungen", benefit="Passendes.")

    new, german = _preview(officer, _url(purpose), "New words.").context["preview"]["cards"]

    assert "New words." in new["page"]
    assert "Recommendations" in new["page"]
    assert (new["is_new"], german["is_new"], german["is_behind"]) == (True, False, True)
    assert "Auf Deutsch." in german["page"]
    assert "Empfehlungen" in german["page"]


def test_the_frame_of_a_preview_runs_no_scripts(officer, purpose):
    page = _preview(officer, _url(purpose)).content.decode()

    frames = re.findall(r"<iframe ([^>]*)></iframe>", page)
    assert len(frames) == 1, "the document is one attribute, whole"
    assert re.findall(r'sandbox="([^"]*)"', frames[0]) == ["allow-same-origin"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("material", "1 person who said yes is asked again."), ("cosmetic", "Nobody is asked again")],
)
def test_it_says_how_many_people_are_asked_again(officer, api, purpose, kind, said):
    api.save("customer-1", "give")
    api.save("customer-2", "refuse")

    assert said in _text(_preview(officer, _url(purpose), kind=kind))


@pytest.mark.parametrize(("kind", "required"), [("material", 2), ("cosmetic", 1)])
def test_what_was_previewed_is_published_as_the_next_version(officer, purpose, kind, required):
    answer = _publish(officer, _url(purpose), "New text.\r\nSecond line.", kind)
    assert not Notice.objects.filter(purpose=purpose, version=2).exists()
    change_set = second_newest()

    notice = Notice.objects.get(purpose=purpose, version=2)
    assert answer.headers["Location"] == f"/admin/changes/{change_set.pk}/"
    assert (notice.text, notice.is_material) == ("New text.\nSecond line.", kind == "material")
    data = json.loads(ActiveBundle.objects.select_related("bundle").get().bundle.data)
    assert data["purposes"]["recommendations"]["required_notice"] == required
    event = AuditEvent.objects.get(action="changes.applied")
    assert (event.details["author"], event.details["approver"]) == ("officer:anna", "officer:second")
    assert event.details["changes"][0]["fields"]["is_material"] == [None, kind == "material"]


@pytest.mark.parametrize("change", [{"text": "Slipped in."}, {"kind": "cosmetic"}, {"previewed": "0" * 64}])
def test_what_was_edited_after_the_preview_is_previewed_again(officer, purpose, change):
    answer = _publish(officer, _url(purpose)) if not change else None
    Notice.objects.filter(version=2)
    seen = _preview(officer, _url(purpose)).context["preview"]["seen"]
    based_on = officer.get(_url(purpose)).context["based_on"]
    sent = {"text": "New text.", "kind": "material", "based_on": based_on, "step": "publish", "previewed": seen}

    answer = officer.post(_url(purpose), {**sent, **change})

    assert answer.status_code == 200
    assert answer.context["preview"]["seen"] != change.get("previewed")
    assert not Notice.objects.filter(purpose=purpose, version=2).exists()


def test_a_version_published_meanwhile_is_not_written_over(officer, purpose):
    seen = _preview(officer, _url(purpose)).context["preview"]["seen"]
    register.publish_notice(purpose=purpose, text="A colleague's.", actor="officer:ben")

    sent = {"text": "New text.", "kind": "material", "based_on": 1, "step": "publish", "previewed": seen}
    answer = officer.post(_url(purpose), sent)

    assert answer.status_code == 400
    assert "Version 2 was published meanwhile." in _text(answer)
    with pytest.raises(register.NoticeMovedOn):
        register.publish_notice(purpose=purpose, text="x", actor="test", based_on=1)
    assert Notice.objects.filter(purpose=purpose).count() == 2


def test_a_translation_is_of_the_same_version_and_asks_nobody(officer, purpose):
    url = _url(purpose, "de", version=1)
    page = officer.get(url)
    assert "nobody is asked again" in _text(page)
    assert page.context["draft"].text == purpose.notices.get().text

    assert _publish(officer, url, "Auf Deutsch.", "").status_code == 302
    second_newest()

    notice = Notice.objects.get(purpose=purpose, locale="de")
    assert (notice.version, notice.is_material) == (1, True)


@pytest.mark.parametrize(("locale", "version"), [("en", 1), ("de", 9)])
def test_what_cannot_be_translated_is_refused(officer, purpose, locale, version):
    answer = officer.get(_url(purpose, locale, version=version))

    assert answer.headers["Location"] == "/admin/consent/notice/add/"


def test_a_version_in_one_language_names_those_that_stay_behind(officer, purpose, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]

    page = _preview(officer, _url(purpose))

    assert "has no text yet in: German, French" in _text(page)


@pytest.mark.parametrize(
    "query",
    ["purpose=999999&locale=en", "purpose=1%27&locale=en", "purpose={pk}&locale=xx-evil", "purpose={pk}&locale=../../"],
)
def test_an_unknown_purpose_or_language_is_refused(officer, purpose, query):
    answer = officer.get(f"/admin/consent/notice/add/?{query.format(pk=purpose.pk)}")

    assert answer.status_code == 400
    assert "There is no such purpose or language." in _text(answer)


def test_a_text_with_nul_is_refused_before_the_page(officer, purpose):
    assert _preview(officer, _url(purpose), "a\x00b").status_code == 400
    assert Notice.objects.filter(purpose=purpose).count() == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
def test_a_text_that_cannot_be_a_notice_is_refused(officer, purpose, text):
    answer = _preview(officer, _url(purpose), text)

    assert answer.status_code == 400
    assert answer.context["preview"] is None


def test_a_megabyte_is_refused_before_it_is_read(officer, purpose):
    answer = officer.post(_url(purpose), {"text": "x" * 1_000_000, "kind": "material", "based_on": 1})

    assert answer.status_code in (400, 413)
    assert Notice.objects.filter(purpose=purpose).count() == 1


def test_the_text_in_force_is_not_published_twice(officer, purpose):
    answer = _preview(officer, _url(purpose), purpose.notices.get().text)

    assert "word for word the text that is in force" in _text(answer)


def test_a_change_is_said_to_be_material_or_cosmetic(officer, purpose):
    assert "Say whether the change is material or cosmetic." in _text(_preview(officer, _url(purpose), kind=""))
    assert _preview(officer, _url(purpose), kind="harmless").status_code == 400


def test_hostile_text_stays_text_in_every_preview_and_comparison(officer, purpose):
    url = _url(purpose)
    previewed = _preview(officer, url, EVIL)
    _publish(officer, url, EVIL)
    second_newest()
    old, new = Notice.objects.filter(purpose=purpose).order_by("version")
    pages = [
        previewed,
        officer.get(f"/admin/consent/notice/compare/?before={old.pk}&after={new.pk}"),
        officer.get(f"/admin/consent/notice/{new.pk}/change/"),
        officer.get("/admin/consent/notice/?q=script"),
    ]

    assert [page.status_code for page in pages] == [200] * 4
    assert all(EVIL not in page.content.decode() for page in pages)
    inside_the_frame = previewed.context["preview"]["cards"][0]["page"]
    assert EVIL not in inside_the_frame
    assert html.escape(EVIL) in inside_the_frame
    attribute = html.unescape(re.search(r'srcdoc="([^"]*)"', previewed.content.decode()).group(1))
    assert attribute == inside_the_frame


def test_only_who_may_add_notices_writes_and_who_may_view_compares(purpose):
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_notice"))
    reader = Client()
    reader.force_login(user)
    key = purpose.notices.get().pk
    compare = f"/admin/consent/notice/compare/?before={key}&after={key}"

    assert reader.get(_url(purpose)).status_code == 403
    assert reader.post(_url(purpose), {"text": "x"}).status_code == 403
    assert reader.get(compare).status_code == 200
    user.user_permissions.clear()
    assert reader.get(compare).status_code == 403
    assert Client().get(_url(purpose)).headers["Location"].startswith("/admin/login/")


def test_any_two_versions_are_compared_but_not_of_two_purposes(officer, purpose):
    other = Notice.objects.get(purpose__slug="newsletter").pk
    mine = purpose.notices.get().pk

    assert officer.get(f"/admin/consent/notice/compare/?before={mine}&after={other}").status_code == 404
    for wrong in ("", "x", "9" * 30, "-1"):
        assert officer.get(f"/admin/consent/notice/compare/?before={wrong}&after={mine}").status_code == 404
    assert "word for word" in _text(officer.get(f"/admin/consent/notice/compare/?before={mine}&after={mine}"))


def test_a_notice_says_what_refers_to_it_and_shows_its_history(officer, api, purpose):
    api.save("customer-1", "give", notice_version=1)
    first = purpose.notices.get()
    register.publish_notice(purpose=purpose, text="Newer.", actor="test")

    page = _text(officer.get(f"/admin/consent/notice/{first.pk}/change/"))

    assert "1 were shown this text; 1 name its version" in page
    assert first.text_sha256 in page
    assert "Compare with version 1" in page
    assert "Replaced" in page


def test_the_start_page_lists_the_languages_a_notice_lacks(officer, purpose, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]

    items = {str(item["title"]): item for item in officer.get("/admin/").context["attention"]}

    item = items["The notice of “Recommendations” is not in every language"]
    assert "German" in item["detail"]
    assert officer.get(item["url"]).context["draft"].translates == 1
    register.publish_notice(purpose=purpose, text="Auf Deutsch.", locale="de", version=1, actor="test")
    assert "The notice of “Recommendations” is not in every language" not in {
        str(item["title"]) for item in officer.get("/admin/").context["attention"]
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""), ("a", ""), ("", "a b"), ("one two three", "one three"), ("a\n\nb", "a\nb"), ("Ünïcode, ja!", "ja?"),
        ("same " * 3000, "same " * 2999 + "other"),
    ],
)  # fmt: skip
def test_a_diff_holds_both_texts_whole(before, after):
    pieces = wording.word_diff(before, after)

    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after


def test_a_consent_that_ran_out_is_not_counted_among_those_asked_again(officer, api, purpose):
    api.save("customer-1", "give")
    Purpose.objects.filter(pk=purpose.pk).update(consent_valid_for=timedelta(seconds=1))
    api.save("customer-2", "give")
    later = timezone.now() + timedelta(days=2)

    found = selectors.people_by_state(purpose.slug, now=later)
    assert {state: people.count for state, people in found.items()} == {"given": 1, "expired": 1}
