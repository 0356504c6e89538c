from django.apps import AppConfig


class ModelRegistryConfig(AppConfig):
    name = "model_registry"
    verbose_name = "Models"

    def ready(self) -> None:
        from common import policy_data
        from model_registry import descriptors, reopening
        from oversight import registers
        from oversight.work import kinds

        registers.add(*descriptors.REGISTERS)
        kinds.add(reopening.REOPENED)
        policy_data.add_follower(reopening.follow)
