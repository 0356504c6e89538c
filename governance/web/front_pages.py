"""What the front answers by itself, as a page where a browser asked for one.

It is rendered in the loop's thread, once for each language, so a flood of refusals costs no more than in JSON. A
request whose head could not be read is answered as problem+json: nothing says who reads it.
"""

from dataclasses import replace
from functools import lru_cache

from django.conf import settings
from django.http import parse_cookie
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_noop

from common import languages
from governance.front.classes import TABLES, WorkClass
from governance.front.messages.answers import Answer
from governance.front.messages.reading import Head
from governance.web.content_security import STRICT
from governance.web.error_views import size_words

_SENTENCES = {
    "busy": (
        gettext_noop("Too many people are asking at this moment"),
        gettext_noop("Nothing was changed. Wait a few seconds, and try again."),
    ),
    "request_timeout": (
        gettext_noop("This took too long"),
        gettext_noop("What you sent did not arrive in time, so nothing was changed. Try again."),
    ),
    "internal_error": (
        gettext_noop("Something went wrong on our side"),
        gettext_noop(
            "It has been noted. When in doubt, personalization stays off; choices already confirmed are kept."
        ),
    ),
}
_OTHERS = (
    gettext_noop("This request could not be read"),
    gettext_noop("Something in it was not in the expected form, so nothing was changed."),
)


def for_reader(answer: Answer, head: Head, work: WorkClass) -> Answer:
    """Return the front's own answer in the form its reader expects."""
    if not work.has_pages or b"text/html" not in head.headers.get(b"accept", b""):
        return answer
    body = _page(answer.own_code or "", _language(head), work.body_bytes)
    headers = [(name, value) for name, value in answer.headers if name != "Content-Type"]
    headers += [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", STRICT)]
    return replace(answer, headers=headers, body=body)


def _language(head: Head) -> str:
    if head.target.path.startswith("/admin/"):
        return settings.LANGUAGE_CODE
    chosen = parse_cookie(head.headers.get(b"cookie", b"").decode("latin-1")).get(settings.LANGUAGE_COOKIE_NAME)
    if chosen in languages.offered():
        return chosen
    return languages.accepted(head.headers.get(b"accept-language", b"").decode("latin-1"))


@lru_cache(maxsize=128)
def _page(code: str, language: str, at_most: int) -> bytes:
    with translation.override(language):
        if code == "body_too_large":
            name = "admin/table_too_large.html" if at_most == TABLES.body_bytes else "errors/too_large.html"
            return render_to_string(name, {"limit": size_words(at_most)}).encode()
        heading, sentence = _SENTENCES.get(code, _OTHERS)
        facts = {"heading": translation.gettext(heading), "sentence": translation.gettext(sentence)}
        return render_to_string("errors/front.html", facts).encode()
