"""Documents are broken at 100 columns: ``.ci/reflow``."""

import runpy

from tests.docs.documents import markdown
from tests.helpers.paths import CHECKOUT

Reflow = runpy.run_path(str(CHECKOUT / ".ci" / "reflow"))["Reflow"]
LONG = "word " * 30
BEFORE = f"""# A title
{LONG}

1. {LONG}
   on

| {LONG} |
|---|

```sh
{LONG}
```

    {LONG}

See `{LONG.strip()}` there.
"""


def test_paragraphs_and_items_are_filled_and_nothing_else():
    lines = Reflow().document(BEFORE).split("\n")
    assert lines[:3] == ["# A title", "", "word " * 19 + "word"]
    assert lines[3] == "word " * 9 + "word"
    assert lines[5] == "1. " + "word " * 18 + "word"
    assert lines[6] == "   " + "word " * 10 + "word on"
    assert f"| {LONG} |" in lines
    assert LONG in lines
    assert f"    {LONG}".rstrip() in lines
    assert f"`{LONG.strip()}`" in lines
    assert "See" in lines


def test_a_filled_document_stays_as_it_is():
    once = Reflow().document(BEFORE)
    assert Reflow().document(once) == once


def test_no_word_of_a_document_is_lost():
    for document in markdown():
        text = document.read_text(encoding="utf-8")
        assert Reflow().document(text).split() == text.split(), document.name
