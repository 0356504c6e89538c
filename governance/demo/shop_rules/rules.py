"""Rules about what the demonstration's shop may show and ask, and what its items say of themselves.

Alcohol is not for minors, a promotion is shown to a person twice a week at most, a price may be up to a tenth lower for
one person. Counting what a person was shown and personal prices take their permission, so the register asks for both.
"""
# ruff: noqa: E501, RUF001 (texts in French, with its apostrophes)

from collections.abc import Mapping
from decimal import Decimal

from common import policy_data
from consent.models import DataCategory, Purpose, PurposeData, PurposeText, current_notice_versions
from consent.register import register
from governance.demo.catalogue import ALCOHOL
from governance.demo.register import ACTOR
from governance.demo.translations import Translation
from oversight.changes import applying
from personalization.recommender.interactions import Item
from personalization.showings.caps import CATEGORY
from policies.models import DisplayRule, FrequencyCap, PriceRule

PRICING = "personal_pricing"
MOST_SHOWN, MOST_BELOW = 2, 10
_PROMOTED = 12  # every so many items
_CENTS = (95, 50, 90, 0, 25)

_Texts = Mapping[str, tuple[str, str]]
_COUNTED: dict[str, tuple[str, str, str]] = {  # reason, benefit, and the notice's further sentence
    "en": (
        "We count how often we showed you a thing.",
        "The same promotion does not follow you.",
        "We count how often we show you the same promotion, so that we stop.",
    ),
    "de": (
        "Wir zählen, wie oft wir Ihnen etwas gezeigt haben.",
        "Dieselbe Werbung verfolgt Sie nicht.",
        "Wir zählen, wie oft wir Ihnen dieselbe Werbung zeigen, damit wir damit aufhören.",
    ),
    "fr": (
        "Nous comptons combien de fois nous vous avons montré une chose.",
        "La même publicité ne vous suit pas.",
        "Nous comptons combien de fois nous vous montrons la même publicité, pour nous arrêter.",
    ),
    "es": (
        "Contamos cuántas veces le mostramos una cosa.",
        "La misma publicidad no le persigue.",
        "Contamos cuántas veces le mostramos la misma publicidad, para dejar de hacerlo.",
    ),
}
_PRICES = {
    "en": Translation(
        "Prices made for you",
        "A price can be lower for you than for others, never higher, and says so.",
        "Until you turn it off",
        "We use what you bought here to offer you some things up to a tenth below their list price.",
    ),
    "de": Translation(
        "Preise für Sie",
        "Ein Preis kann für Sie niedriger sein als für andere, nie höher, und sagt das auch.",
        "Bis Sie es ausschalten",
        "Wir nutzen, was Sie hier gekauft haben, um Ihnen einiges bis zu einem Zehntel unter dem Listenpreis anzubieten.",
    ),
    "fr": Translation(
        "Des prix pour vous",
        "Un prix peut être plus bas pour vous que pour d’autres, jamais plus haut, et il le dit.",
        "Jusqu’à ce que vous le désactiviez",
        "Nous utilisons ce que vous avez acheté ici pour vous proposer certaines choses jusqu’à un dixième sous leur prix affiché.",
    ),
    "es": Translation(
        "Precios para usted",
        "Un precio puede ser más bajo para usted que para otros, nunca más alto, y lo dice.",
        "Hasta que lo desactive",
        "Usamos lo que compró aquí para ofrecerle algunas cosas hasta una décima parte por debajo de su precio de lista.",
    ),
}
_WHY_PURCHASES = {
    "en": ("What you bought says which prices interest you.", "You pay less for what you like."),
    "de": ("Was Sie kauften, sagt, welche Preise Sie interessieren.", "Sie zahlen weniger für das, was Sie mögen."),
    "fr": ("Vos achats disent quels prix vous intéressent.", "Vous payez moins pour ce que vous aimez."),
    "es": ("Lo que compró dice qué precios le interesan.", "Paga menos por lo que le gusta."),
}


def ensure() -> None:
    """Create what is missing of the rules, and of what the register has to ask for them."""
    with applying.apply_shipped(title="Rules of the demonstration's shop", actor=ACTOR):
        _ensure_rules()
        _ensure_counting()
        _ensure_prices()
        policy_data.changed(reason="rules of the demonstration's shop", actor=ACTOR)


def stated(item: Item, place: int) -> dict[str, object]:
    """Return what an item says of itself: its list price, a flag of the law, whether its place is paid for."""
    return {
        "price": Decimal(5 + place * 7 % 60) + Decimal(_CENTS[place % len(_CENTS)]) / 100,
        "currency": "EUR",
        "legal_flags": [ALCOHOL] if ALCOHOL in item.categories else [],
        "is_promoted": place % _PROMOTED == 0 and ALCOHOL not in item.categories,
    }


def _ensure_rules() -> None:
    DisplayRule.objects.get_or_create(
        slug=ALCOHOL,
        defaults={"item_flags": [ALCOHOL], "age_bands": ["minor"], "reason": "Alcohol is not shown to minors."},
    )
    FrequencyCap.objects.get_or_create(
        slug="promotions",
        defaults={
            "about": "promotions",
            "most": MOST_SHOWN,
            "days": 7,
            "reason": "The same promotion does not follow people.",
        },
    )
    PriceRule.objects.get_or_create(
        slug="a-tenth",
        defaults={"most_below": MOST_BELOW, "purposes": [PRICING], "reason": "Never above the list price."},
    )


def _ensure_counting() -> None:
    """Have the notice of recommendations name showings."""
    purpose = Purpose.objects.get(slug="recommendations")
    if CATEGORY in purpose.data_categories:
        return
    before = dict(purpose.notices.filter(version=_newest(purpose)).values_list("locale", "text"))
    purpose.data_categories = [*purpose.data_categories, CATEGORY]
    register.save_purpose(purpose, actor=ACTOR)
    _explain(purpose, CATEGORY, {locale: texts[:2] for locale, texts in _COUNTED.items()})
    notices = {locale: f"{before[locale]} {_COUNTED[locale][2]}" for locale in _COUNTED if locale in before}
    _publish(purpose, notices)


def _ensure_prices() -> None:
    if Purpose.objects.filter(slug=PRICING).exists():
        return
    own = _PRICES["en"]
    purpose = register.save_purpose(
        Purpose(
            slug=PRICING, name=own.name, benefit=own.benefit, kept_for=own.kept_for, actions=["price"],
            dpv_purpose="Personalisation", data_categories=["purchases"], order=25,
        ),
        actor=ACTOR,
    )  # fmt: skip
    _explain(purpose, "purchases", _WHY_PURCHASES)
    for locale, words in _PRICES.items():
        if locale != "en":
            said = {"name": words.name, "benefit": words.benefit, "kept_for": words.kept_for}
            PurposeText.objects.create(purpose=purpose, locale=locale, **said)
    register.note_texts(purpose, actor=ACTOR)
    _publish(purpose, {locale: words.notice for locale, words in _PRICES.items()})


def _explain(purpose: Purpose, kind: str, texts: _Texts) -> None:
    category, _ = DataCategory.objects.get_or_create(slug=kind, defaults={"name": kind})
    PurposeData.objects.bulk_create(
        PurposeData(purpose=purpose, category=category, locale=locale, reason=reason, benefit=benefit)
        for locale, (reason, benefit) in texts.items()
    )


def _publish(purpose: Purpose, notices: Mapping[str, str]) -> None:
    """Publish one version of a notice in its languages, the register's own first."""
    version = register.publish_notice(purpose=purpose, text=notices["en"], actor=ACTOR).version
    for locale, text in notices.items():
        if locale != "en":
            register.publish_notice(purpose=purpose, text=text, locale=locale, version=version, actor=ACTOR)


def _newest(purpose: Purpose) -> int:
    return int(current_notice_versions()[purpose.slug]["current"])
