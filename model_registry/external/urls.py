from django.urls import path

from model_registry.external import views

urlpatterns = [
    path("models", views.ModelsView.as_view(), name="models"),
    path("models/<slug:slug>/versions", views.VersionsView.as_view(), name="model-versions"),
    path("models/<slug:slug>/versions/<int:number>", views.VersionView.as_view(), name="model-version"),
    path("models/<slug:slug>/versions/<int:number>/evidence", views.EvidenceView.as_view(), name="model-evidence"),
    path("models/<slug:slug>/versions/<int:number>/documents", views.DocumentsView.as_view(), name="model-documents"),
]
