from django.urls import path

from privacy.releases import views

urlpatterns = [
    path("releases", views.ReleasesView.as_view(), name="releases-api"),
    path("releases/<uuid:release>/file", views.ReleaseFileView.as_view(), name="release-file-api"),
    path("releases/<uuid:release>/manifest", views.ReleaseManifestView.as_view(), name="release-manifest-api"),
]
