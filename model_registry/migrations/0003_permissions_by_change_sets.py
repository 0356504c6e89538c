"""Entries of models and what their versions may do are changed by change sets; a status has its own life cycle."""

from django.db import migrations

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0002_officer_labels"), ("oversight", "0002_guards")]
    operations = [
        guard("model_registry_model", "model_registry_modelversion_purposes"),
        guard("model_registry_modelversion", columns=("model_id", "version", "max_level")),
    ]
