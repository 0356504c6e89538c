"""POST /api/v1/recommendations/visit: the caller and the rules are read in the one statement of a decision."""

from personalization.serving import endpoint
from personalization.visitors.bodies import VisitBody
from policies.endpoints import wsgi

PATH = f"{endpoint.PATH}/visit"

application = wsgi.endpoint(endpoint.answering(VisitBody))
