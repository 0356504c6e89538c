from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        from common import policy_data
        from policies import bundles

        policy_data.register(bundles.publish)
