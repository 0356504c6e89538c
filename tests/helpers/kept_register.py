"""The default rules and the demonstration's register, laid once for each test process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from governance.demo import register
from policies.registers import defaults
from tests.helpers.row_copies import RowCopy

# What the register is laid by; a test that sets one of them before has its register laid for it alone.
_LAID_BY = ("PUBLIC_URL", "BUSINESS_NAME", "CELLS", "PROCESSING_REGION", "CERTIFICATION")
# A bundle that came into force when the test began, as if the register had been laid for it.
_FRESH = {"policies_activation": "activated_at", "policies_activebundle": "activated_at"}


def lay_register() -> None:
    """Lay the default rules and the demonstration's five purposes, published as a bundle."""
    defaults.ensure_defaults()
    register.ensure_register()


class KeptRegister:
    """The rows of a register, put back wherever laying it would write the same.

    ``over`` is the register that ``lay`` adds to.
    """

    def __init__(
        self, name: str = "register", lay: Callable[[], object] = lay_register, *, over: "KeptRegister | None" = None
    ) -> None:
        self._laid_by = _settings()
        self._lay = lay
        self._rows = RowCopy(name, lay, over=over and over.lay, fresh=_FRESH)
        self._stands = False

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Lay it in a transaction that holds it for a whole file: a test of the file finds it laid."""
        self.lay()
        self._stands = True
        try:
            yield
        finally:
            self._stands = False

    def lay(self) -> None:
        if self._stands and _settings() == self._laid_by:
            return
        if _settings() != self._laid_by or not self._rows.put():
            self._lay()


def _settings() -> list[object]:
    return [getattr(settings, name) for name in _LAID_BY]
