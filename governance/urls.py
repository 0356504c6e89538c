from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from governance import health, pages, script, shop, start_page

admin.site.index_title = "Today"

urlpatterns = [
    path("", shop.home, name="home"),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("privacy/open/<str:token>", pages.open_link, name="privacy-open"),
    path("privacy/", pages.dashboard, name="privacy"),
    path("privacy/choices", pages.choose, name="privacy-choice"),
    path("privacy/all-off", pages.all_off, name="privacy-all-off"),
    path("privacy/sign-out", pages.sign_out, name="privacy-sign-out"),
    path("admin/check-evidence", admin.site.admin_view(start_page.check_evidence), name="check-evidence"),
    path("admin/", admin.site.urls),
    path("assent.js", script.banner_script, name="banner-script"),
    path("shop/", shop.shop, name="shop"),
    path("api/v1/banner/", include("consent.banner_urls")),
    path("api/v1/", include("consent.urls")),
    path("api/v1/", include("personalization.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
