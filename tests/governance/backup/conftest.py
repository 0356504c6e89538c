"""Choices and data of people, as in the tests of retention."""

from tests.privacy.conftest import choose, remember  # noqa: F401 (fixtures)
