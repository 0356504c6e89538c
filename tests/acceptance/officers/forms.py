"""Forms of officers' pages, filled in as a person does."""

from typing import Any


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
