"""A catalogue from a file: every line is taken in or named with what is wrong with it."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from personalization.models import Item

pytestmark = pytest.mark.django_db
CSV = """id,title,categories,price,currency,stock,offered,legal_flags,restricted_regions,min_age
wine,Red wine,wine|drinks,12.50,EUR,3,true,alcohol,US-UT|SA,18
cup,"A ""large"" cup, blue",,,,,FALSE,,,
"a,b",Comma,,,,,,,,
pen,Pen,,1.5,,,,,,
ink,Ink,,,,many,,,,
nib,Nib,
cup,Cup again,,,,,,,,
"""


@pytest.fixture
def load(tmp_path: Path, capsys: Any) -> Callable[..., tuple[int, str, list[str]]]:
    """Run the command on a text; return its status and what it said."""

    def run(text: str | bytes, name: str = "items.csv", **options: Any) -> tuple[int, str, list[str]]:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        status = 0
        try:
            call_command("import_items", path, **options)
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err.splitlines()

    return run


def test_each_line_of_csv_is_taken_in_or_named(load: Callable[..., Any]) -> None:
    status, said, refused = load(CSV)

    assert (status, said) == (3, "2 created; 5 lines refused.\n")
    assert [line.split(":")[0] for line in refused] == ["line 4", "line 5", "line 6", "line 7", "line 8"]
    assert "price.currency" in refused[1]
    assert "stock" in refused[2]
    assert refused[3].endswith("The line has 3 cells where the first line names 10.")
    assert refused[4].endswith("Line 3 names the item already.")
    wine, cup = Item.objects.get(pk="wine"), Item.objects.get(pk="cup")
    assert (wine.categories, wine.restricted_regions, wine.stock, wine.min_age) == (
        ["wine", "drinks"], ["SA", "US-UT"], 3, 18,
    )  # fmt: skip
    assert (cup.title, cup.is_active, cup.price, cup.keeper) == ('A "large" cup, blue', False, None, "")


def test_json_lines_have_the_members_of_the_api_and_a_repeat_changes_nothing(load: Callable[..., Any]) -> None:
    text = (
        '{"id": "wine", "title": "Wine", "stock": 2}\n\n{"id": "cup", "title": 3}\n{"id": "x", "id": "y"}\nnonsense\n'
    )

    status, said, refused = load(text, "items.jsonl")

    assert (status, said) == (3, "1 created; 3 lines refused.\n")
    assert [line.split(":")[0] for line in refused] == ["line 3", "line 4", "line 5"]
    again = gzip.compress(b'{"id": "wine", "title": "Wine", "stock": 2}\n')
    assert load(again, "items.jsonl.gz") == (0, "1 unchanged; 0 lines refused.\n", [])
    assert load('{"id": "wine", "action": "remove"}', "items.jsonl")[1] == "1 removed; 0 lines refused.\n"


def test_a_dry_run_stores_nothing(load: Callable[..., Any]) -> None:
    status, said, _ = load(CSV, dry_run=True)

    assert (status, said.splitlines()[0]) == (3, "2 created; 5 lines refused.")
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"id,titel\n", "items.csv", "Column 2"),
        (b"title\nWine\n", "items.csv", "does not name: id"),
        (b"id,title\nwine,\xff\n", "items.csv", "not UTF-8"),
        (b'id,title\nwine,"open\n', "items.csv", "Line 2 is not CSV"),
        (b"{}", "items.txt", "--format"),
        (b"id,title\nwine,Wine\n", "items.csv.gz", "damaged"),
        (b'{"id": "' + b"x" * 70_000 + b'"}', "items.jsonl", "longer than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    load: Callable[..., Any], content: bytes, name: str, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason) as refused:
        load(content, name)

    assert refused.value.returncode == 2
    assert not Item.objects.exists()
