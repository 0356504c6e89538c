"""Retention schedules are written by change sets only."""

from django.db import migrations

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_officer_labels"), ("oversight", "0002_guards")]
    operations = [guard("privacy_retentionschedule")]
