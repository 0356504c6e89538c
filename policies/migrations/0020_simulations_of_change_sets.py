from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0019_terms_of_past_notices")]

    operations = [
        migrations.AddField(
            model_name="simulationreport",
            name="change_set_digest",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
    ]
