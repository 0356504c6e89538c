"""Refusals of features, with stable codes."""

from http import HTTPStatus

from common.http.problems import NotFound, Problem


class FeatureNotPermitted(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "feature_not_permitted"
    title = "The person does not permit the purpose of this feature"


class FeatureUnknown(NotFound):
    code = "feature_unknown"
    title = "There is no such feature under this purpose"
