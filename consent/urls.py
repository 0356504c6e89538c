from django.urls import path

from consent import views

urlpatterns = [
    path("consents", views.ConsentsView.as_view(), name="consents"),
    path("consents/state", views.ConsentStateView.as_view(), name="consent-state"),
    path("consents/history", views.ConsentHistoryView.as_view(), name="consent-history"),
    path("consents/receipts", views.ReceiptsView.as_view(), name="consent-receipts"),
    path("dashboard-links", views.DashboardLinksView.as_view(), name="dashboard-links"),
    path("dashboard-links/revoke", views.RevokeDashboardLinksView.as_view(), name="dashboard-links-revoke"),
]
