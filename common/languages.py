"""Languages of this installation, and their names."""

from django.conf import global_settings, settings
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def offered() -> list[str]:
    """Return the codes from the setting LANGUAGES; Django's own list of all languages counts as no choice."""
    if settings.LANGUAGES == global_settings.LANGUAGES:
        return [settings.LANGUAGE_CODE]
    return [code for code, _ in settings.LANGUAGES]


def known() -> list[str]:
    """Return every code a text may be written in: those offered first."""
    first = offered()
    return [*first, *sorted(code for code, info in LANG_INFO.items() if "name" in info and code not in first)]


def name(code: str) -> str:
    """Return a language's name: ``de`` as "German"; an unknown code stays as it is."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


def lookup(tag: str) -> list[str]:
    """Return the tags that a text for ``tag`` may have, in lower case and best first (RFC 4647, section 3.4)."""
    parts, found = tag.lower().replace("_", "-").split("-"), []
    while parts:
        if len(parts[-1]) > 1:  # a singleton introduces what was cut off behind it
            found.append("-".join(parts))
        parts.pop()
    return found


def accepted(header: str) -> str:
    """Return the first language of an ``Accept-Language`` header that is offered, else the installation's default.

    Unlike Django's ``get_language_from_request`` it looks at no cookie: for programs, and for other sites' pages.
    """
    for wanted, weight in parse_accept_lang_header(header):
        if not weight:  # not acceptable (RFC 9110, section 12.4.2)
            continue
        try:
            return get_supported_language_variant(wanted)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
