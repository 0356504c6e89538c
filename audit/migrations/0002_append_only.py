from django.db import migrations

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [guard("audit_auditevent", "audit_auditanchor")]
