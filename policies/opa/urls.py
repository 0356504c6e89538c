from django.urls import path

from policies.opa import api

# The paths below the service's URL are OPA's own: it appends "logs" and "status" by itself.
urlpatterns = [
    path("bundles/active.tar.gz", api.BundleView.as_view(), name="opa-bundle"),
    path("bundles/unsigned.tar.gz", api.UnsignedBundleView.as_view(), name="opa-bundle-unsigned"),
    path("bundles/<str:key_id>/active.tar.gz", api.BundleView.as_view(), name="opa-bundle-by-key"),
    path("discovery/<str:key_id>.tar.gz", api.DiscoveryView.as_view(), name="opa-discovery-by-key"),
    path("bundles/candidate.tar.gz", api.CandidateView.as_view()),
    path("bundles/<str:key_id>/candidate.tar.gz", api.CandidateView.as_view()),
    path("discovery.tar.gz", api.DiscoveryView.as_view(), name="opa-discovery"),
    path("status", api.StatusView.as_view(), name="opa-status"),
    path("logs", api.LogsView.as_view(), name="opa-logs"),
]
