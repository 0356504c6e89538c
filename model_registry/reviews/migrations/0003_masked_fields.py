from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reviews", "0002_reviews")]

    operations = [
        migrations.AlterModelOptions(
            name="review",
            options={
                "ordering": ["-opened_at", "-id"],
                "permissions": [("view_masked_fields", "Can see masked fields of outputs under review")],
            },
        ),
    ]
