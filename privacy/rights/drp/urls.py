from django.urls import path

from privacy.rights.drp import views

urlpatterns = [
    path("v1/agent/<str:agent_id>", views.TokenView.as_view(), name="drp-agent"),
    path("v1/data-rights-request", views.ExerciseView.as_view(), name="drp-exercise"),
    path("v1/data-rights-request/<uuid:request_id>", views.StatusView.as_view(), name="drp-status"),
]
