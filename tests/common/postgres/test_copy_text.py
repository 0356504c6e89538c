"""What is written for COPY is read back as it was."""

import pytest
from django.db import connection

from common.postgres.copy_text import array_text, copy_line, copy_rows

pytestmark = pytest.mark.django_db
WORDS = [
    "plain",
    "null",
    "NULL",
    "",
    "two words",
    'a"b',
    "a\\b",
    "a,b",
    "{a}",
    "tab\there",
    "line\nbreak",
    "é 😀",
    "\\N",
]


def test_arrays_and_texts_come_back_as_they_were() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (number int, words text[], word text) ON COMMIT DROP")
        rows = [copy_line(number, array_text([word, word]), word) for number, word in enumerate(WORDS)]

        copy_rows(cursor, "COPY copied FROM STDIN", [*rows, copy_line(99, array_text([]), None)])

        cursor.execute("SELECT words, word FROM copied ORDER BY number")
        assert cursor.fetchall() == [*(([word, word], word) for word in WORDS), ([], None)]
