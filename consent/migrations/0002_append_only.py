from django.db import migrations

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [guard("consent_consentrecord", "consent_notice")]
