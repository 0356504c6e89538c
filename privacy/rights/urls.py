from django.urls import path

from privacy.rights import views

urlpatterns = [
    path("requests", views.RequestsView.as_view(), name="requests"),
    path("requests/list", views.PersonsRequestsView.as_view(), name="requests-list"),
    path("requests/<uuid:request_id>", views.RequestView.as_view(), name="request"),
    path("requests/<uuid:request_id>/cancel", views.CancelRequestView.as_view(), name="request-cancel"),
    path("requests/<uuid:request_id>/end-mandate", views.EndMandateView.as_view(), name="request-end-mandate"),
    path("requests/<uuid:request_id>/download", views.DownloadRequestView.as_view(), name="request-download"),
]
