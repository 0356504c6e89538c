from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oversight", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="confirmed",
            field=models.JSONField(default=dict, help_text="Claims of the set that were confirmed, and why."),
        ),
    ]
