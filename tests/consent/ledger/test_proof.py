"""What a record proves: the text that was served, how it was asked for, for which part, and by whom for a child."""

import contextlib

import pytest

from consent.ledger import ledger
from consent.ledger.proof import Asked, Guardian
from consent.ledger.verification import verify_ledger
from consent.models import ConsentRecord, Purpose
from consent.problems import GuardianNeeded, NothingToAdjust, PartUnknown
from consent.pseudonyms import subject_ref
from consent.register import register
from policies.decisions.evaluate import preview
from policies.decisions.questions import Question

pytestmark = pytest.mark.django_db


def save(*choices, **more):
    return ledger.save_choices(
        ledger.Request(
            subject_ref=subject_ref("customer-1"),
            choices=[ledger.Choice(**choice) for choice in choices],
            source="banner",
            actor="service:shop",
            region="DE",
            **{"age_band": "adult", **more},
        )
    )


def give(**more):
    return {"purpose": "newsletter", "choice": "give", **more}


def test_a_record_names_the_text_that_was_served(register_in_force):
    purpose = Purpose.objects.get(slug="newsletter")
    english = purpose.notices.get()
    german = register.publish_notice(
        purpose=purpose, text="Wir senden Ihnen Briefe.", locale="de", version=english.version, actor="officer:a"
    )

    save(give(), asked=Asked(locale="de", interface="banner@1", order=("refuse", "accept")))

    record = ConsentRecord.objects.get()
    assert record.proof["notice"] == {"locale": "de", "sha256": german.text_sha256}
    assert record.proof["asked"] == {"interface": "banner@1", "order": ["refuse", "accept"]}
    assert verify_ledger().ok


def test_where_our_page_has_no_text_in_the_language_it_names_the_one_shown(register_in_force):
    save(give(), asked=Asked(locale="fr", falls_back=True))

    assert ConsentRecord.objects.get().proof["notice"]["locale"] == "en"


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("de-DE", "de"),
        ("de-AT", "de"),
        ("de-Latn-CH-1996", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("en-GB", "en"),
        ("nl", None),
        ("pt", None),
        ("pt-PT", None),
        ("es-419", None),
        ("zh-Hant-TW", None),
        ("", None),
    ],
)
def test_the_text_proven_is_in_the_language_stated_or_none(register_in_force, stated, found):
    # Kind: proof of another text than the one shown. RFC 4647, section 3.4 (lookup), as the banner does.
    purpose = Purpose.objects.get(slug="newsletter")
    for locale in ("de", "pt-BR"):
        register.publish_notice(purpose=purpose, text=f"In {locale}.", locale=locale, version=1, actor="officer:a")

    save(give(), asked=Asked(locale=stated))

    assert ConsentRecord.objects.get().proof.get("notice", {}).get("locale") == found
    assert ConsentRecord.objects.get().notice_version == 1
    assert verify_ledger().ok


@pytest.mark.parametrize("texts", [1, 2])
def test_a_version_without_a_language_proves_its_only_text(register_in_force, texts):
    if texts == 2:
        purpose = Purpose.objects.get(slug="newsletter")
        register.publish_notice(purpose=purpose, text="Deutsch.", locale="de", version=1, actor="officer:a")

    save(give(notice_version=1))

    assert ("notice" in ConsentRecord.objects.get().proof) is (texts == 1)


def test_a_choice_that_names_no_notice_proves_no_text(register_in_force):
    save(give())

    assert "notice" not in ConsentRecord.objects.get().proof


def test_a_choice_about_a_part_stands_beside_the_whole(register_in_force):
    save(give())
    save({"purpose": "newsletter", "choice": "refuse", "channel": "email"})

    person = ConsentRecord.objects.first().subject
    assert {place: entry["s"] for place, entry in person.consents.items()} == {
        "newsletter": "given",
        "newsletter?channel=email": "refused",
    }
    assert verify_ledger().ok


def test_a_part_the_register_does_not_name_is_refused(register_in_force):
    with pytest.raises(PartUnknown):
        save(give(channel="pigeon"))

    assert not ConsentRecord.objects.exists()


def test_a_closed_channel_is_in_force_at_the_next_decision(register_in_force):
    asked = Question(
        subject_ref=subject_ref("customer-1"),
        action="contact",
        purpose="newsletter",
        channel="email",
        data_categories=("email_address",),
        processing_region="eu-central",
    )
    save(give())
    before = preview(asked)

    save({"purpose": "newsletter", "choice": "refuse", "channel": "email"})

    codes = [reason.code for reason in preview(asked).verdict.reasons]
    assert "consent_refused" not in [reason.code for reason in before.verdict.reasons]
    assert "consent_refused" in codes


def test_what_a_guardian_allowed_lapses_at_majority(register_in_force):
    save(give(), age_band="child", guardian=Guardian(ref="g", method="id_document", adult_on="2027-03-01"))

    record = ConsentRecord.objects.get()
    assert record.expires_at.isoformat() == "2027-02-28T23:00:00+00:00"  # midnight in Germany
    assert record.proof["guardian"]["method"] == "id_document"


def test_only_a_yes_after_the_notice_of_conflict_lifts_a_signal(register_in_force):
    asked = Question(
        subject_ref=subject_ref("customer-1"),
        action="personalize",
        purpose="recommendations",
        data_categories=("views",),
        processing_region="eu-central",
        gpc=True,
    )
    save({"purpose": "recommendations", "choice": "give"})
    capped = preview(asked).verdict

    save({"purpose": "recommendations", "choice": "give", "told_of_conflict": True})

    assert (capped.level, preview(asked).verdict.level) == ("behavioral", "individual")


def test_the_law_that_applied_is_kept_with_the_choice(register_in_force):
    save(give())

    law = ConsentRecord.objects.get().proof["jurisdiction"]
    assert (law["law"], law["region"], law["rule"]) == ("gdpr", "DE", "country")


@pytest.mark.parametrize(("age_band", "guardian", "stored"), [
    ("child", None, False),
    ("child", Guardian(ref="g", method="id_document", adult_on="2031-01-01"), True),
    ("adult", None, True),
])  # fmt: skip
def test_for_a_child_a_guardian_has_to_agree(register_in_force, age_band, guardian, stored):
    request = ledger.Request(
        subject_ref=subject_ref("customer-2"),
        choices=[ledger.Choice(purpose="newsletter", choice="give")],
        source="api",
        actor="service:shop",
        region="DE",
        age_band=age_band,
        guardian=guardian,
    )

    with contextlib.suppress(GuardianNeeded):
        ledger.save_choices(request)

    assert ConsentRecord.objects.exists() is stored


def test_a_child_says_no_without_anybody(register_in_force):
    ledger.save_choices(
        ledger.Request(
            subject_ref=subject_ref("customer-2"),
            choices=[ledger.Choice(purpose="newsletter", choice="refuse")],
            source="api",
            actor="service:shop",
            region="DE",
            age_band="child",
        )
    )

    assert ConsentRecord.objects.get().state == "refused"


def test_a_part_without_a_choice_of_its_own_has_nothing_to_adjust(register_in_force):
    save(give())

    with pytest.raises(NothingToAdjust):
        save({"purpose": "newsletter", "choice": "adjust", "channel": "email", "max_level": "none"})


def test_a_yes_said_again_does_not_lift_the_limit_a_person_has_set(register_in_force):
    about = {"purpose": "recommendations"}
    save({**about, "choice": "give"})
    save({**about, "choice": "adjust", "max_level": "behavioral"})

    save({**about, "choice": "give", "told_of_conflict": True})
    kept = ConsentRecord.objects.first().subject.consents["recommendations"]
    save({**about, "choice": "adjust", "max_level": None})
    lifted = ConsentRecord.objects.first().subject.consents["recommendations"]

    assert (kept["lv"], kept["told"]) == ("behavioral", True)
    assert "lv" not in lifted
    assert verify_ledger().ok
