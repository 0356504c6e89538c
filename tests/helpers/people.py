"""A person on the privacy dashboard, and an officer in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.helpers.registers import make_account
from tests.helpers.visitor import Visitor


@pytest.fixture
def visitor(register_in_force: None) -> Visitor:
    return Visitor("customer-1").come_in()


@pytest.fixture
def officer(register_in_force: None) -> Client:
    """A superuser: whatever is refused here is refused to everybody."""
    client = Client()
    client.force_login(make_account("anna"))
    return client


Save = Callable[..., Any]


@pytest.fixture
def send(officer: Client) -> Save:
    """Send an admin form as it was shown, with changes."""

    def save(path: str, **changes: Any) -> Any:
        shown = officer.get(path)
        form = shown.context["adminform"].form
        formsets = [inline.formset for inline in shown.context["inline_admin_formsets"]]
        forms = [form, *(part for formset in formsets for part in (formset.management_form, *formset.initial_forms))]
        data = {field.html_name: field.value() for part in forms for field in part}
        fields = {
            name: value for name, value in {**data, **changes}.items() if value is not None and value is not False
        }
        return officer.post(path, fields)

    return save
