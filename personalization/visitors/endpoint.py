"""POST /api/v1/recommendations/visit: the caller and the rules are read in the one statement of a decision."""

from personalization.serving import endpoint
from personalization.visitors.bodies import VisitBody
from policies.endpoints import wsgi
from policies.endpoints.begun import waiting

PATH = f"{endpoint.PATH}/visit"

begin = endpoint.beginning(VisitBody)
application = wsgi.endpoint(waiting(begin))
