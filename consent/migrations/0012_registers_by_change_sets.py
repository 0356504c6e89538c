"""Purposes, their texts and notices are written by change sets only."""

from django.db import migrations

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("consent", "0011_banner_layouts"), ("oversight", "0002_guards")]
    operations = [guard("consent_purpose", "consent_purposetext", "consent_notice")]
