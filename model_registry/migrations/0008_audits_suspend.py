from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0007_models_elsewhere")]
    operations = [migrations.AddField("gatedemand", "suspends", models.BooleanField(default=True))]
