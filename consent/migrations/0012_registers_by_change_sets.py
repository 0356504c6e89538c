"""Parties, purposes, their texts, sites and notices are written by change sets only."""

from django.db import migrations

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("consent", "0011_banner_layouts"), ("oversight", "0002_guards")]
    operations = [
        guard(
            "consent_party",
            "consent_purpose",
            "consent_purposetext",
            "consent_site",
            "consent_site_purposes",
            "consent_notice",
        ),
    ]
