from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0017_attack_limits")]

    operations = [
        migrations.AddField(
            model_name="uploadedtable",
            name="source",
            field=models.SlugField(blank=True, default="", max_length=64),
        ),
    ]
