from django.urls import path

from personalization import views

urlpatterns = [
    path("events", views.EventsView.as_view(), name="events"),
    path("recommendations", views.RecommendationsView.as_view(), name="recommendations"),
    path("items", views.CatalogueView.as_view(), name="items"),
]
