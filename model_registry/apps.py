from django.apps import AppConfig


class ModelRegistryConfig(AppConfig):
    name = "model_registry"
    verbose_name = "Models"

    def ready(self) -> None:
        from common import policy_data
        from model_registry import descriptors, reopening
        from model_registry.files import ageing
        from oversight import registers
        from oversight.work import kinds
        from privacy.retention.own_records import record_periods

        registers.add(*descriptors.REGISTERS)
        record_periods.add_due(ageing.KIND, ageing.due)
        kinds.add(reopening.REOPENED)
        policy_data.add_follower(reopening.follow)
