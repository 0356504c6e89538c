"""What the codes of the register are called on pages for officers."""

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
CHANNELS = {
    "web": "Website",
    "app": "App",
    "email": "E-mail",
    "sms": "Text message",
    "push": "Push message",
    "post": "Post",
    "phone": "Phone",
    "store": "In the store",
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


def action(code: str) -> str:
    """The verb alone: "Personalise"."""
    return ACTIONS[code].partition(":")[0] if code in ACTIONS else code.capitalize()


def source(code: str) -> str:
    return SOURCES.get(code, code.replace("_", " ").capitalize())


def part(scope: str) -> str:
    """``channel=email;recipient=mail-house`` as "channel: email, recipient: mail-house"; empty for the whole."""
    return scope.replace("=", ": ").replace(";", ", ").replace("_", " ")
