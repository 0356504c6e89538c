"""The one error for every signal that cannot be relied on."""


class InvalidSignal(ValueError):
    """Refusal of a consent string; ``str()`` is a plain sentence that never holds the string itself.

    ``reason`` is a stable code in snake_case, listed in docs/signals.md.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
