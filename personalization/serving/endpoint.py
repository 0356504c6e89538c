"""POST /api/v1/recommendations: the caller, the person and the rules are read in the one statement of a decision.

In two halves around that statement, so that the loop of ``governance.front`` answers what needs no other one.
"""

from collections.abc import Callable
from contextlib import nullcontext

from django.utils import translation

from common import languages
from common.http.problems import Problem
from common.http.rest import read_document
from personalization import proxy
from personalization.serving import known
from personalization.serving.bodies import ListBody, RecommendationBody
from personalization.serving.known import Asked, Known
from policies.decisions.information import Wanted
from policies.endpoints import wsgi
from policies.endpoints.begun import Begun, waiting
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ

PATH = "/api/v1/recommendations"
SCOPE = "recommendations"


def beginning(kind: type[ListBody]) -> Callable[[Environ], Begun[Known]]:
    """Return what reads requests with bodies of a kind."""

    def begin(environ: Environ) -> Begun[Known]:
        token, document = wsgi.read_call(environ, SCOPE)
        try:
            body = read_document(kind, document)
        except Problem:
            wsgi.authenticate(environ, SCOPE)  # callers without permission do not learn what is wrong with it
            raise
        subject_ref, level = body.about()
        asked = Asked(Wanted(subject_ref, token_hash(token), SCOPE.encode()), body.purpose, level)
        return Begun(environ, asked, lambda about: _answer(body, environ, about))

    return begin


def _answer(body: ListBody, environ: Environ, about: Known | None) -> bytes:
    """Return the list out of what is known; without that it is everybody's. Raises Refused and SpoolFull."""
    if about is None:
        about, caller = known.NOTHING, wsgi.authenticate(environ, SCOPE)
    else:
        caller = wsgi.check_known(about.information, SCOPE)
    language = languages.accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    is_usual = language == translation.get_language()
    # Sentences are for the person that the service asks for; the next answer of this thread has its own language.
    with nullcontext() if is_usual else translation.override(language):
        return proxy.recommend(body.request(environ), caller=caller, about=about).body()


begin = beginning(RecommendationBody)
application = wsgi.endpoint(waiting(begin))
