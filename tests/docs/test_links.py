"""Links and paths in documents lead somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.documents import markdown, tracked
from tests.helpers.paths import CHECKOUT

# What ``./assent up`` or a reader makes: it is not in the repository.
MADE = re.compile(r"^(secrets|postgres|valkey|spool|models|logs|run|staticfiles|artifacts)/")
# Words that stand for a part of a name.
PLACEHOLDER = re.compile(r"\b(DIR|FILE|HOME|KEY|KIND|NAME)\b")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_MENTION = re.compile(r"`(?P<path>[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.*-]+)*/[A-Za-z0-9_.*-]*)`")


def documents() -> list[Path]:
    return [path for path in markdown() if path.name != "CHANGELOG.md"]  # history names what was


def relative(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def anchors(text: str) -> set[str]:
    """The anchors a forge makes of headings."""
    heads = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", documents(), ids=relative)
def test_relative_links_resolve(document: Path):
    links = [link["target"] for link in _LINK.finditer(_FENCED.sub("", document.read_text(encoding="utf-8")))]
    assert [link for link in links if "://" not in link and not _leads_somewhere(link, document)] == []


def _leads_somewhere(link: str, document: Path) -> bool:
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    if not target.exists() or CHECKOUT not in [target, *target.parents]:
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", documents(), ids=relative)
def test_mentioned_paths_exist(document: Path):
    mentioned = [found["path"] for found in _MENTION.finditer(document.read_text(encoding="utf-8"))]
    assert [path for path in mentioned if _is_a_path(path) and not _exists(path, document)] == []


def _is_a_path(mentioned: str) -> bool:
    """A file by its ending, or anything below a folder of the checkout."""
    if PLACEHOLDER.search(mentioned):
        return False
    is_below = mentioned.partition("/")[0] in _top_folders()
    return is_below or (bool(re.search(r"\.[a-z]{2,4}$", mentioned)) and not MADE.match(mentioned))


@cache
def _top_folders() -> set[str]:
    return {relative(path).partition("/")[0] for path in tracked() if path.parent != CHECKOUT}


def _exists(mentioned: str, document: Path) -> bool:
    known = {relative(path) for path in tracked()}
    if "*" in mentioned:
        return any(Path(path).match(mentioned) for path in known)
    return (CHECKOUT / mentioned).exists() or (document.parent / mentioned).exists()


def test_every_document_is_on_the_map():
    map_ = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {link["target"].partition("#")[0] for link in _LINK.finditer(map_)}
    beside = {path.name for path in tracked("docs/*.md") if path.parent.name == "docs"}
    assert beside - linked == {"README.md"}
