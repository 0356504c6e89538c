"""Tables of cells for tests: eu is the primary, and the other cells are wherever a test says."""

import json
from pathlib import Path
from typing import Any

from policies.cells.table import Table, read_table

TOKEN = "assent_" + "t" * 43
REGIONS = {"eu": "eu-central", "us": "us-east", "uk": "uk-south"}
KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "AAAA"}]}


def write_table(
    folder: Path, *names: str, urls: dict[str, str] | None = None, keys: Any = None, **changes: Any
) -> Path:
    """Write the file and what it names; ``changes`` replace top-level members."""
    (folder / "token").write_text(TOKEN)
    (folder / "keys.json").write_text(json.dumps(keys or KEYS))
    cells = [
        {
            "name": name,
            "processing_region": REGIONS[name],
            "url": (urls or {}).get(name, f"https://{name}.example.org"),
            "token_file": "token",
        }
        for name in names or ("eu", "us")
    ]
    document = {"primary": "eu", "keys_file": "keys.json", "cells": cells, **changes}
    path = folder / "cells.json"
    path.write_text(json.dumps(document))
    return path


def table_of(folder: Path, own: str, *names: str, urls: dict[str, str] | None = None, keys: Any = None) -> Table:
    return read_table(write_table(folder, *names, urls=urls, keys=keys), own)
