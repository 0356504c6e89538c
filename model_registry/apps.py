from django.apps import AppConfig


class ModelRegistryConfig(AppConfig):
    name = "model_registry"
    verbose_name = "Models"

    def ready(self) -> None:
        from model_registry import descriptors
        from model_registry.files import ageing
        from oversight import registers
        from privacy.retention.own_records import record_periods

        registers.add(*descriptors.REGISTERS)
        record_periods.add_due(ageing.KIND, ageing.due)
