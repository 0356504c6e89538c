from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "model_registry.reviews"
    label = "reviews"
    verbose_name = "Reviews of outputs"

    def ready(self) -> None:
        from model_registry.pages import panels
        from model_registry.reviews import descriptors, panel, requested, work
        from model_registry.reviews.outputs import stores
        from oversight import registers
        from oversight.work import kinds
        from privacy.retention import schedules
        from privacy.rights.clocks.laws import Right
        from privacy.rights.requests import fulfilling
        from privacy.rights.stores import seam

        registers.add(descriptors.REVIEW_RULE)
        kinds.add(work.REVIEW)
        schedules.add_store(stores.OUTPUTS)
        seam.add(stores.FOR_ANSWERS)
        fulfilling.add({Right.HUMAN_REVIEW: requested.HUMAN_REVIEW})
        panels.register("reviews", panel.REVIEWS)
