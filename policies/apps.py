from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        from common import policy_data  # noqa: PLC0415 (the registry must exist first)
        from policies import bundles  # noqa: PLC0415

        policy_data.register(bundles.publish)
