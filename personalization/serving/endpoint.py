"""POST /api/v1/recommendations: the caller, the person and the rules are read in the one statement of a decision."""

import msgspec
from django.utils import translation

from common import languages
from common.http.problems import Problem
from common.http.rest import read_document
from personalization import proxy
from personalization.serving import known
from personalization.serving.bodies import RecommendationBody
from policies.decisions.information import InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ

PATH = "/api/v1/recommendations"
SCOPE = "recommendations"
_encode = msgspec.json.Encoder().encode


def _answer(environ: Environ) -> wsgi.Reply:
    token, document = wsgi.read_call(environ, SCOPE)
    try:
        body = read_document(RecommendationBody, document)
    except Problem:
        wsgi.authenticate(environ, SCOPE)  # callers without permission do not learn what is wrong with it
        raise
    try:
        level = "none" if body.mode == "non_profiled" else body.requested_level
        about = known.read(body.subject.ref(), body.purpose, level, token_hash(token), SCOPE.encode())
        caller = wsgi.check_known(about.information, SCOPE)
    except InformationUnavailable:
        about, caller = known.NOTHING, wsgi.authenticate(environ, SCOPE)
    # Sentences are for the person that the service asks for; the next answer of this thread has its own language.
    with translation.override(languages.accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
        answer = proxy.recommend(body.request(environ), caller=caller, about=about)
        return 200, _encode(answer.document())


application = wsgi.endpoint(_answer)
