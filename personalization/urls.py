from django.urls import path

from personalization import views
from personalization.catalogue import views as items
from personalization.creators.views import CreatorView
from personalization.general.views import GeneralView
from personalization.visitors.views import VisitView

urlpatterns = [
    path("events", views.EventsView.as_view(), name="events"),
    path("recommendations", views.RecommendationsView.as_view(), name="recommendations"),
    path("recommendations/general", GeneralView.as_view(), name="general-recommendations"),
    path("recommendations/visit", VisitView.as_view(), name="visit-recommendations"),
    path("recommender/parameters", views.ParametersView.as_view(), name="recommender-parameters"),
    path("creators/<str:creator>", CreatorView.as_view(), name="creator"),
    path("items", items.CatalogueView.as_view(), name="items"),
    path("items/batch", items.BatchView.as_view(), name="items-batch"),
    path("items/<str:item>", items.ItemView.as_view(), name="item"),
]
