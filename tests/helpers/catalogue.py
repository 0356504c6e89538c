"""What is written for people in the source, and what the catalogues make of it: read without gettext's tools."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

from tests.helpers.paths import CHECKOUT

ROOT = CHECKOUT
MODULES = [
    "common/http/problems.py",
    "consent/receipts/content.py",
    "consent/register/novelties.py",
    "consent/register/part_words.py",
    "consent/register/words.py",
    "governance/privacy_center/cards.py",
    "governance/privacy_center/dashboard.py",
    "governance/privacy_center/erasing.py",
    "governance/privacy_center/decisions.py",
    "governance/privacy_center/held_data.py",
    "governance/privacy_center/levels.py",
    "governance/privacy_center/looks.py",
    "governance/privacy_center/outside.py",
    "governance/privacy_center/pages.py",
    "governance/privacy_center/ranking.py",
    "governance/privacy_center/receipts.py",
    "governance/privacy_center/rights.py",
    "governance/demo/shop.py",
    "governance/web/front_pages.py",
    "model_registry/reviews/outputs/stores.py",
    "personalization/event_store/stores.py",
    "personalization/explained/card.py",
    "personalization/explained/pages.py",
    "personalization/explained/weights.py",
    "personalization/parameters.py",
    "personalization/prices/pricing.py",
    "personalization/serving/wording.py",
    "personalization/showings/stores.py",
    "personalization/training_sets/store.py",
    "policies/bundles/reasons.py",
    "policies/decision_log/stores.py",
    "privacy/releases/pseudonyms/stores.py",
    "privacy/rights/requests/blocking.py",
    *(
        f"privacy/rights/stores/{name}.py"
        for name in (
            "consents",
            "deletions",
            "links",
            "person",
            "proof",
            "letters",
            "requests",
            "trail",
        )
    ),
    "privacy/rights/letters/wording.py",
]
_OFFICERS = {
    "attention_item.html", "figure.html", "notice_history.html", "printed.html", "text_diff.html", "trail.html",
}  # fmt: skip
_MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
_PLURAL = {"ngettext", "ngettext_lazy"}

Message = tuple[str, str]  # the text and its plural, empty where it has none


def templates() -> list[Path]:
    """The templates of people's pages; those under ``admin`` or ``unfold``, and a few partials, are for officers."""
    found = (ROOT / "templates").rglob("*.html")
    return [path for path in found if not {"admin", "unfold"} & set(path.parts) and path.name not in _OFFICERS]


def written() -> dict[Message, str]:
    """Every text for people, with the first place it stands at."""
    found: dict[Message, str] = {}
    for path in [*sorted(templates()), *(ROOT / module for module in MODULES)]:
        source = path.read_text()
        if path.suffix == ".html":
            source = _calls_only(templatize(source))
        for message in _marked(ast.parse(source)):
            found.setdefault(message, str(path.relative_to(ROOT)))
    return found


def _calls_only(text: str) -> str:
    """Django turns a template into calls between filling; keep the calls."""
    calls = []
    for match in re.finditer(r"\b(?:_|gettext|ngettext)\(", text):
        calls.append(_balanced(text, match.start()))
    return "\n".join(calls)


def _balanced(text: str, start: int) -> str:
    """The shortest text from ``start`` that is a whole call."""
    end = text.index(")", start)
    while True:
        try:
            ast.parse(text[start : end + 1].strip())
        except SyntaxError:
            end = text.index(")", end + 1)
        else:
            return text[start : end + 1].strip()


def _marked(tree: ast.AST) -> Iterator[Message]:
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        texts = [arg.value for arg in tree.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if tree.func.id in _MARKS and texts:
            yield texts[0], ""
        if tree.func.id in _PLURAL:
            yield texts[0], texts[1]
        if tree.func.id == "Sentence":  # policies.reasons: the first is for officers
            yield from _marked(tree.args[1])
            return
    for child in ast.iter_child_nodes(tree):
        yield from _marked(child)


@dataclass
class Entry:
    message: Message = ("", "")
    translations: list[str] = field(default_factory=list)
    is_fuzzy: bool = False


def entries(path: Path) -> list[Entry]:
    """The entries of a .po file, the header included."""
    return [_entry(block) for block in path.read_text().strip().split("\n\n")]


def _entry(block: str) -> Entry:
    entry = Entry()
    texts: dict[str, str] = {}
    keyword = ""
    for line in block.splitlines():
        if line.startswith("#"):
            entry.is_fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        if not line.startswith('"'):
            keyword, _space, line = line.partition(" ")
        texts[keyword] = texts.get(keyword, "") + ast.literal_eval(line)
    entry.message = texts["msgid"], texts.get("msgid_plural", "")
    entry.translations = [text for name, text in texts.items() if name.startswith("msgstr")]
    return entry
