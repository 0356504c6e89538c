from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0001_rate_buckets")]

    operations = [
        migrations.CreateModel(
            name="KeyCheck",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("value", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
            ],
        ),
    ]
