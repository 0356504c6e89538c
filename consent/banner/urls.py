from django.urls import path

from consent.banner import views

urlpatterns = [
    path("<slug:site>", views.LayoutView.as_view(), name="banner"),
    path("<slug:site>/choices", views.ChoicesView.as_view(), name="banner-choices"),
    path("<slug:site>/state", views.StateView.as_view(), name="banner-state"),
]
