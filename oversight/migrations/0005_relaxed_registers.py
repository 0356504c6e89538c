"""Which registers one officer may change: a setting that is itself changed by change sets."""

from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("oversight", "0004_counting")]
    operations = [
        migrations.CreateModel(
            name="RelaxedRegister",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("register", models.CharField(max_length=40, unique=True)),
                ("reason", models.CharField(max_length=500)),
            ],
            options={"ordering": ["register"], "verbose_name": "oversight setting"},
        ),
        migrations.AlterField(
            model_name="changeset",
            name="kind",
            field=models.CharField(
                choices=[
                    ("normal", "Two officers"),
                    ("protective", "Protective"),
                    ("emergency", "Emergency"),
                    ("single", "Single officer"),
                    ("relaxed", "One officer, as the register allows"),
                    ("shipped", "Shipped defaults"),
                    ("release", "Release of the primary cell"),
                ],
                default="normal",
                max_length=12,
            ),
        ),
        guard("oversight_relaxedregister"),
    ]
