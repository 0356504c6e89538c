"""Register of processing of the demonstration: five purposes, their notices, retention and a statistic."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from common import policy_data
from consent.models import (
    DataCategory,
    Notice,
    Party,
    Purpose,
    PurposeData,
    PurposeText,
    Site,
    current_notice_versions,
)
from consent.register import register
from governance.demo.data_reasons import DATA_REASONS
from governance.demo.translations import TRANSLATIONS, Translation
from governance.officers.rights_register import operator_writes
from governance.web.demonstration import SHOP
from oversight.changes import applying
from privacy.budgets import shipped
from privacy.models import RetentionSchedule

ACTOR = "officer:demo"
_PARTIES: list[dict[str, Any]] = [
    {
        "slug": "northwind",
        "role": Party.Role.CONTROLLER,
        "name": "Northwind Shop",
        "address": "Harbour Street 4, 20457 Hamburg",
        "country": "DE",
        "email": "privacy@northwind.example",
        "url": "https://northwind.example",
    },
    {
        "slug": "northwind-dpo",
        "role": Party.Role.OFFICER,
        "name": "Data protection officer of Northwind",
        "address": "Harbour Street 4, 20457 Hamburg",
        "country": "DE",
        "email": "dpo@northwind.example",
    },
    {
        "slug": "mail-house",
        "role": Party.Role.PROCESSOR,
        "name": "Mail House",
        "address": "Post Road 12, 10115 Berlin",
        "country": "DE",
        "email": "office@mailhouse.example",
    },
    {
        "slug": "parcel-carrier",
        "role": Party.Role.RECIPIENT,
        "name": "Parcel Carrier",
        "address": "Depot 7, 51147 Cologne",
        "country": "DE",
        "email": "office@parcels.example",
    },
]
_PURPOSES: list[dict[str, Any]] = [
    {
        "slug": "personalization",
        "dpv_purpose": "ServicePersonalisation",
        "kept_for": "Until you turn it off",
        "name": "A shop that knows you a little",
        "benefit": "Pages are arranged by what you tend to look for, so you scroll less.",
        "actions": ["personalize"],
        "data_categories": ["views", "purchases", "ratings"],
        "max_level": "behavioral",
        "order": 10,
        "notice": "We arrange our pages by what you looked at, rated and bought in this shop.",
    },
    {
        "slug": "recommendations",
        "dpv_purpose": "ProvidePersonalisedRecommendations",
        "kept_for": "One year, or until you turn it off",
        "name": "Recommendations",
        "benefit": "You see things that fit what you liked before, and why each one was chosen.",
        "parent": "personalization",
        "actions": ["personalize", "collect", "train"],
        "data_categories": ["views", "purchases", "ratings"],
        "max_level": "individual",
        "order": 20,
        "notice": (
            "We keep what you look at, rate and buy here for one year and compute from it what may please you. "
            "It stays with us. You can turn it off at any time, and then we delete it."
        ),
        "days": 365,
    },
    {
        "slug": "newsletter",
        "dpv_purpose": "DirectMarketing",
        "kept_for": "Two years, or until you turn it off",
        "name": "Newsletter",
        "benefit": "A short letter with news and offers, at most twice a month.",
        "actions": ["contact"],
        "data_categories": ["email_address"],
        "recipients": ["mail-house"],
        "channels": ["email"],
        "order": 30,
        "notice": "We use your e-mail address to send you our newsletter, through our mail house.",
        "days": 730,
    },
    {
        "slug": "order_fulfilment",
        "dpv_purpose": "ServiceProvision",
        "kept_for": "As long as the law requires for orders",
        "name": "Your orders",
        "benefit": "What you order is packed, shipped and can be returned.",
        "legal_basis": "contract",
        "actions": ["collect", "share", "contact"],
        "data_categories": ["purchases", "postal_address", "email_address"],
        "recipients": ["parcel-carrier"],
        "channels": ["email"],
        "order": 40,
        "notice": "We need your order, your address and your e-mail address to deliver what you bought.",
        "days": 2_922,  # eight years: vouchers of a German merchant (section 147(3) of the Fiscal Code, since 2025)
    },
    {
        "slug": "usage_statistics",
        "dpv_purpose": "ServiceUsageAnalytics",
        "kept_for": "90 days",
        "name": "Usage statistics",
        "benefit": "We see which pages work badly and repair them. Only totals, never single people.",
        "legal_basis": "legitimate_interests",
        "actions": ["collect", "release"],
        "data_categories": ["views"],
        "order": 50,
        "notice": "We count page views to repair what works badly. You can object.",
        "days": 90,
    },
]


def ensure_register() -> None:
    """Create what is missing of the demonstration's register; leave alone what is there."""
    with applying.apply_shipped(title="Register of the demonstration", actor=ACTOR):
        _ensure_register()


def _ensure_register() -> None:
    for party in _PARTIES:
        Party.objects.get_or_create(slug=party["slug"], defaults=party)
    for entry in _PURPOSES:
        values = {**entry}
        text, days, parent = values.pop("notice"), values.pop("days", None), values.pop("parent", None)
        purpose = Purpose.objects.filter(slug=values["slug"]).first()
        if purpose is None:
            above = Purpose.objects.get(slug=parent) if parent else None
            purpose = register.save_purpose(Purpose(**values, parent=above), actor=ACTOR)
            _explain(purpose)
        if days:
            RetentionSchedule.objects.get_or_create(purpose=purpose, defaults={"retain_for": timedelta(days=days)})
        if not Notice.objects.filter(purpose=purpose).exists():
            register.publish_notice(purpose=purpose, text=text, actor=ACTOR)
    _ensure_shop()
    shipped.ensure()
    policy_data.changed(reason="register of the demonstration", actor=ACTOR)


def _explain(purpose: Purpose) -> None:
    """Add the reasons why a purpose needs its data, in the register's own language."""
    for kind, texts in DATA_REASONS[purpose.slug].items():
        category, _ = DataCategory.objects.get_or_create(slug=kind, defaults={"name": kind.replace("_", " ")})
        reason, benefit = texts["en"]
        PurposeData.objects.create(purpose=purpose, category=category, reason=reason, benefit=benefit)


def _translate_reasons(purpose: Purpose) -> None:
    """Add the missing translations of the demonstration's own reasons."""
    missing = [
        PurposeData(purpose=purpose, category=row.category, locale=locale, reason=reason, benefit=benefit)
        for row in purpose.data_reasons.filter(locale="en").select_related("category")
        for locale, (reason, benefit) in DATA_REASONS[purpose.slug].get(row.category.slug, {}).items()
        if row.reason == DATA_REASONS[purpose.slug][row.category.slug]["en"][0]
    ]
    PurposeData.objects.bulk_create(missing, ignore_conflicts=True)


def ensure_translations() -> None:
    """Add missing German, French and Spanish of the purposes; leave alone what is there or was rewritten."""
    with applying.apply_shipped(title="Translations of the demonstration", actor=ACTOR):
        _ensure_translations()


def _ensure_translations() -> None:
    originals = {entry["slug"]: entry["notice"] for entry in _PURPOSES}
    for purpose in Purpose.objects.filter(slug__in=originals):
        is_described = [
            _describe(purpose, locale, translation) for locale, translation in TRANSLATIONS[purpose.slug].items()
        ]
        if any(is_described):
            register.note_texts(purpose, actor=ACTOR)
            _translate_reasons(purpose)
        newest = current_notice_versions().get(purpose.slug, {"current": 0})["current"]
        texts = dict(Notice.objects.filter(purpose=purpose, version=newest).values_list("locale", "text"))
        if texts.get("en") != originals[purpose.slug]:
            continue  # an officer wrote another text, which these do not translate
        for locale, translation in TRANSLATIONS[purpose.slug].items():
            if locale not in texts:
                register.publish_notice(
                    purpose=purpose, text=translation.notice, locale=locale, version=newest, actor=ACTOR
                )


def _describe(purpose: Purpose, locale: str, translation: Translation) -> bool:
    words = {"name": translation.name, "benefit": translation.benefit, "kept_for": translation.kept_for}
    return PurposeText.objects.get_or_create(purpose=purpose, locale=locale, defaults=words)[1]


def _ensure_shop() -> None:
    """Register the demonstration's shop, served by the instance itself under two names of this machine."""
    here = settings.PUBLIC_URL
    shop, created = Site.objects.get_or_create(
        slug=SHOP,
        defaults={
            "name": settings.BUSINESS_NAME,
            "region": _region_of_the_shop(),
            "origins": sorted({here, here.replace("//localhost", "//127.0.0.1")}),
            "consent_mode": {
                "personalization": ["functionality_storage"],
                "recommendations": ["personalization_storage"],
                "newsletter": ["ad_user_data"],
            },
        },
    )
    if created:
        shop.purposes.set(Purpose.objects.filter(slug__in=("personalization", "recommendations", "newsletter")))


def _region_of_the_shop() -> str:
    """Return where the shop's visitors live: a cell keeps only its own people, so there it has to be stated."""
    if settings.CELLS is None:
        return ""
    return {"eu": "DE", "us": "US"}.get(settings.PROCESSING_REGION.partition("-")[0], "")


def reset_officer(password: str) -> User:
    """Make sure there is an officer named ``officer`` with this password."""
    with operator_writes():
        officer, _ = User.objects.get_or_create(username="officer", defaults={"is_staff": True, "is_superuser": True})
    officer.set_password(password)
    officer.save(update_fields=["password"])
    return officer
