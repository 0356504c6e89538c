"""Residency, jurisdictions, regions, sensitive categories and processing systems are written by change sets only."""

from django.db import migrations

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("policies", "0017_drafts_of_accounts"), ("oversight", "0002_guards")]
    operations = [
        guard(
            "policies_jurisdiction",
            "policies_region",
            "policies_processingregion",
            "policies_transferinstrument",
            "policies_residencyrule",
            "policies_sensitivecategory",
        ),
        guard(
            "policies_processingsystem",
            columns=("name", "owner", "placements", "subject_groups", "data_categories", "purposes"),
        ),
    ]
