from django.urls import path

from policies.registers import views

urlpatterns = [
    path("purposes", views.PurposesView.as_view(), name="registers-purposes"),
    path("jurisdictions", views.JurisdictionsView.as_view(), name="registers-jurisdictions"),
    path("levels", views.LevelsView.as_view(), name="registers-levels"),
]
