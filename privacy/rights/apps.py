from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "privacy.rights"
    label = "rights"
    verbose_name = "Rights of people"
