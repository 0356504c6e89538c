"""What the codes of the register are called: on pages for officers, and for people in their own language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "personalize": "Personalise: choose what a person is shown",
    "collect": "Collect: keep what a person does",
    "train": "Train: teach a model with the data",
    "share": "Share: give the data to others",
    "contact": "Contact: write or call",
    "price": "Price: set a personal price",
    "release": "Release: publish statistics",
    "transfer": "Transfer: move the data to another region",
}
CHANNELS: dict[str, str | Promise] = {
    "web": _("Website"),
    "app": _("App"),
    "email": _("E-mail"),
    "sms": _("Text message"),
    "push": _("Push message"),
    "post": _("Post"),
    "phone": _("Phone"),
    "store": _("In the store"),
}
LEVELS: dict[str, str | Promise] = {
    "none": _("General"),
    "segment": _("Group"),
    "behavioral": _("Recent"),
    "contextual": _("This visit"),
    "individual": _("Personal"),
}
BASES: dict[str, str | Promise] = {
    "consent": _("Your permission"),
    "contract": _("Needed for what you ordered"),
    "legal_obligation": _("The law requires it"),
    "vital_interests": _("To protect a life"),
    "public_task": _("A public task"),
    "legitimate_interests": _("Our legitimate interest; you can object"),
}
SOURCES = {
    "api": "A service",
    "banner": "Consent banner",
    "dashboard": "Privacy dashboard",
    "import": "Import",
}
STATES = {
    "given": "Given",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
    "objected": "Objected",
    "expired": "Expired",
    "renewal_required": "To be asked again",
    "never_asked": "Never asked",
    "not_required": "No consent needed",
}

# In English these are the codes themselves with spaces, so a code that is not listed reads like one that is.
_PLAIN: dict[str, str | Promise] = {
    "views": _("views"),
    "purchases": _("purchases"),
    "ratings": _("ratings"),
    "email_address": _("email address"),
    "postal_address": _("postal address"),
    "health": _("health"),
    "religion": _("religion"),
    "ethnicity": _("ethnicity"),
    "political_opinion": _("political opinion"),
    "sexual_orientation": _("sexual orientation"),
    "biometrics": _("biometrics"),
    "genetics": _("genetics"),
    "union_membership": _("union membership"),
    "channel": _("channel"),
    "recipient": _("recipient"),
    "data_category": _("data category"),
    "category": _("category"),
    "web": _("web"),
    "app": _("app"),
    "email": _("email"),
    "sms": _("sms"),
    "push": _("push"),
    "post": _("post"),
    "phone": _("phone"),
    "store": _("store"),
}
_PLAIN_ACTIONS: dict[str, str | Promise] = {
    "personalize": _("personalise for you"),
    "collect": _("keep what you do"),
    "train": _("learn from your data"),
    "share": _("share your data"),
    "contact": _("contact you"),
    "price": _("set a personal price"),
    "release": _("publish statistics"),
    "transfer": _("move your data to another region"),
}


def plain(code: str) -> str:
    """A code in the reader's language: ``email_address`` as "email address"."""
    return str(_PLAIN.get(code, code.replace("_", " ")))


def plain_part(scope: str) -> str:
    """Like ``part``, in the reader's language."""
    pairs = (piece.partition("=") for piece in scope.split(";") if piece)
    return ", ".join(f"{plain(name)}: {plain(value)}" if mark else plain(name) for name, mark, value in pairs)


def action(code: str) -> str:
    """The verb alone: "Personalise"."""
    return ACTIONS[code].partition(":")[0] if code in ACTIONS else code.capitalize()


def plain_action(code: str) -> str:
    """What is done with the data, in the reader's language."""
    return str(_PLAIN_ACTIONS.get(code, code.replace("_", " ")))


def source(code: str) -> str:
    return SOURCES.get(code, code.replace("_", " ").capitalize())


def part(scope: str) -> str:
    """``channel=email;recipient=mail-house`` as "channel: email, recipient: mail-house"; empty for the whole."""
    return scope.replace("=", ": ").replace(";", ", ").replace("_", " ")
