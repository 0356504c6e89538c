from django.urls import path

from policies.cells import views

urlpatterns = [path("release", views.ReleaseView.as_view(), name="cell-release")]
