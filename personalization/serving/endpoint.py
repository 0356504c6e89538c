"""POST /api/v1/recommendations: the caller, the person and the rules are read in the one statement of a decision."""

from collections.abc import Callable

import msgspec
from django.utils import translation

from common import languages
from common.http.problems import Problem
from common.http.rest import read_document
from personalization import proxy
from personalization.serving import known
from personalization.serving.bodies import ListBody, RecommendationBody
from policies.decisions.information import InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ

PATH = "/api/v1/recommendations"
SCOPE = "recommendations"
_encode = msgspec.json.Encoder().encode


def answering(kind: type[ListBody]) -> Callable[[Environ], wsgi.Reply]:
    """Return what answers requests with bodies of a kind."""

    def answer(environ: Environ) -> wsgi.Reply:
        token, document = wsgi.read_call(environ, SCOPE)
        try:
            body = read_document(kind, document)
        except Problem:
            wsgi.authenticate(environ, SCOPE)  # callers without permission do not learn what is wrong with it
            raise
        try:
            subject_ref, level = body.about()
            about = known.read(subject_ref, body.purpose, level, token_hash(token), SCOPE.encode())
            caller = wsgi.check_known(about.information, SCOPE)
        except InformationUnavailable:
            about, caller = known.NOTHING, wsgi.authenticate(environ, SCOPE)
        # Sentences are for the person that the service asks for; the next answer of this thread has its own language.
        with translation.override(languages.accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
            return 200, _encode(proxy.recommend(body.request(environ), caller=caller, about=about).document())

    return answer


application = wsgi.endpoint(answering(RecommendationBody))
