from django.db import migrations

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("rights", "0001_initial")]

    operations = [guard("rights_requeststep")]
