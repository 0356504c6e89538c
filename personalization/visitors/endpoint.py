"""POST /api/v1/recommendations/visit: the caller and the rules are read in the one statement of a decision."""

import msgspec
from django.utils import translation

from common import languages
from common.http.problems import Problem
from common.http.rest import read_document
from personalization import proxy
from personalization.serving import known
from personalization.visitors.bodies import VisitBody
from policies.decisions.information import NO_SUBJECT, InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ

PATH = "/api/v1/recommendations/visit"
SCOPE = "recommendations"
_encode = msgspec.json.Encoder().encode


def _answer(environ: Environ) -> wsgi.Reply:
    token, document = wsgi.read_call(environ, SCOPE)
    try:
        body = read_document(VisitBody, document)
    except Problem:
        wsgi.authenticate(environ, SCOPE)  # callers without permission do not learn what is wrong with it
        raise
    try:
        about = known.read(NO_SUBJECT, body.purpose, "none", token_hash(token), SCOPE.encode())
        caller = wsgi.check_known(about.information, SCOPE)
    except InformationUnavailable:
        about, caller = known.NOTHING, wsgi.authenticate(environ, SCOPE)
    with translation.override(languages.accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
        answer = proxy.recommend(body.request(environ), caller=caller, about=about)
        return 200, _encode(answer.document())


application = wsgi.endpoint(_answer)
