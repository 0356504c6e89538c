from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "oversight"
    verbose_name = "Oversight"

    def ready(self) -> None:
        from audit.exports import writing
        from oversight import registers
        from oversight.approvals import subjects
        from oversight.changes.subject import CHANGES
        from oversight.officers import single
        from oversight.relaxing import RELAXED_REGISTER

        writing.add_to_head(single.member)
        registers.add(RELAXED_REGISTER)
        subjects.add(CHANGES)
