"""Forms of officers' pages, filled in as a person does, and documents that say how."""

import re
from typing import Any

from tests.helpers.paths import CHECKOUT


class Guide:
    """Steps of a document. What a test does is asked for by its words, so that no word is left out or made up."""

    def __init__(self, name: str) -> None:
        text = (CHECKOUT / "docs" / name).read_text().partition("## In the browser")[2]
        text = re.split(r"\n## |\n\| from \|", text)[0]
        found = re.findall(r"^\d\. (.*?)(?=^\d\. |\Z)", text, re.MULTILINE | re.DOTALL)
        self.steps = [" ".join(step.split()) for step in found]
        self.left = {(number, words) for number, step in enumerate(self.steps, 1) for words in _marked(step)}

    def __call__(self, number: int, words: str) -> str:
        assert words in _marked(self.steps[number - 1]), f"step {number} does not say {words!r}"
        self.left.discard((number, words))
        return words


def _marked(step: str) -> set[str]:
    return set(re.findall(r"\*\*(.+?)\*\*", step))


def press(page: Any, name: str, **fields: str) -> None:
    """Press a button of a change set's page, with what its form asks for."""
    button = page.get_by_role("button", name=name, exact=True)
    form = page.locator("form").filter(has=button)
    for label, value in fields.items():
        form.locator(f"[name={label}]").fill(value)
    for box in form.get_by_role("checkbox").all():
        box.check()
    button.click()
    page.wait_for_load_state()
