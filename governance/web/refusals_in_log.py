"""What Django refuses for its form is one line of the log, without what the caller wrote."""

import logging

_REFUSALS = "django.security."


class WithoutQuotes(logging.Filter):
    """Filter that leaves the name of a refusal: its message quotes the Host header or a path, with a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_REFUSALS):
            record.msg = f"A request was refused: {record.name.removeprefix(_REFUSALS)}"
            record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return True
