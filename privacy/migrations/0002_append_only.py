from django.db import migrations

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial")]

    operations = [guard("privacy_disposalbatch", "privacy_budgetspend", "privacy_release")]
