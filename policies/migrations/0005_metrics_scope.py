import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0004_jurisdiction_packs")]

    operations = [
        migrations.AlterField(
            model_name="servicecredential",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("decisions", "Ask the decision API"),
                        ("consents", "Save and read consents"),
                        ("subject_links", "Issue dashboard links"),
                        ("events", "Send events"),
                        ("recommendations", "Ask for recommendations"),
                        ("metrics", "Read the metrics"),
                    ],
                    max_length=24,
                ),
                size=None,
            ),
        ),
    ]
