from django.urls import path

from personalization import views
from personalization.creators.views import CreatorView

urlpatterns = [
    path("events", views.EventsView.as_view(), name="events"),
    path("recommendations", views.RecommendationsView.as_view(), name="recommendations"),
    path("recommender/parameters", views.ParametersView.as_view(), name="recommender-parameters"),
    path("creators/<str:creator>", CreatorView.as_view(), name="creator"),
    path("items", views.CatalogueView.as_view(), name="items"),
]
