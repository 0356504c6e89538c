from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oversight", "0003_confirmed_claims")]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="counting",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
