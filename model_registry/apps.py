from django.apps import AppConfig


class ModelRegistryConfig(AppConfig):
    name = "model_registry"
    verbose_name = "Models"

    def ready(self) -> None:
        from model_registry import descriptors
        from oversight import registers

        registers.add(*descriptors.REGISTERS)
