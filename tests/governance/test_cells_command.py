"""The operator's side of cells: a credential and keys for another cell, and where this one stands."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit import signing
from policies.cells.table import read_table
from policies.endpoints.credentials import token_hash
from policies.models import ServiceCredential


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("cells", *arguments, stdout=out)
    return out.getvalue()


def test_another_cell_is_let_in_with_a_token_of_its_own(register_in_force: None, tmp_path: Path) -> None:
    token, keys = tmp_path / "to-eu", tmp_path / "keys.json"

    told = run("welcome", "us", "--token-file", str(token), "--keys-file", str(keys))

    credential = ServiceCredential.objects.get(name="cell-us")
    assert bytes(credential.token_hash) == token_hash(token.read_text())
    assert set(credential.scopes) == {
        "cells", "consents", "decisions", "events", "prices", "recommendations", "requests", "subject_links",
    }  # fmt: skip
    assert token.stat().st_mode & 0o777 == 0o600
    assert json.loads(keys.read_text()) == signing.published_keys()
    assert token.read_text() not in told


@pytest.mark.parametrize("command", ["status", "pull"])
def test_an_installation_of_its_own_has_nothing_to_tell(register_in_force: None, command: str) -> None:
    with pytest.raises(CommandError, match="stands alone"):
        run(command)


@pytest.fixture
def table(tmp_path: Path, settings: Any) -> Callable[[str], None]:
    (tmp_path / "token").write_text("t" * 40)
    (tmp_path / "keys").write_text(json.dumps({"keys": [{"kid": "k"}]}))
    regions = {"eu": "eu-central", "us": "mars-north"}
    cells = [
        {"name": name, "processing_region": region, "url": "http://127.0.0.1:1", "token_file": "token"}
        for name, region in regions.items()
    ]
    path = tmp_path / "cells.json"
    path.write_text(json.dumps({"primary": "eu", "keys_file": "keys", "cells": cells}))

    def become(own: str) -> None:
        settings.CELLS = read_table(path, own)

    return become


def test_the_status_names_cells_and_what_the_register_does_not_know(
    register_in_force: None, table: Callable[[str], None]
) -> None:
    table("us")

    eu, us, rules = run("status").splitlines()

    assert eu.split()[:3] == ["eu", "eu-central", "http://127.0.0.1:1"]
    assert eu.endswith("primary")
    assert us.endswith("this one  NO PROCESSING REGION OF THE REGISTER")
    assert rules == "Rules of the primary: not arrived yet"
    with pytest.raises(CommandError, match="cannot be asked"):
        run("pull")
