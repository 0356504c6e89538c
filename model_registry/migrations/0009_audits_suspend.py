from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0008_stopped_segments")]
    operations = [migrations.AddField("gatedemand", "suspends", models.BooleanField(default=True))]
