from django.urls import path

from policies import opa_api

# The paths below the service's URL are OPA's own: it appends "logs" and "status" by itself.
urlpatterns = [
    path("bundles/active.tar.gz", opa_api.BundleView.as_view(), name="opa-bundle"),
    path("bundles/candidate.tar.gz", opa_api.CandidateView.as_view()),
    path("discovery.tar.gz", opa_api.DiscoveryView.as_view(), name="opa-discovery"),
    path("status", opa_api.StatusView.as_view(), name="opa-status"),
    path("logs", opa_api.LogsView.as_view(), name="opa-logs"),
]
