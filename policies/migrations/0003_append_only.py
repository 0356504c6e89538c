from django.db import migrations

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_decision_table"), ("audit", "0002_append_only")]

    operations = [
        guard("policies_bundle", "policies_activation", "policies_decisionbatch", "policies_decision"),
    ]
