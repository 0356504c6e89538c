"""Strings that the reference encoders made, beside what the reference decoders read in them."""

import json

from tests.helpers.paths import SHARED_DATA, TESTS

SHARED = SHARED_DATA / "signals"
# Made with @iabgpp/cmpapi 3.2.0 and @iabtechlabtcf/core 1.5.21 from random choices.
OWN = json.loads((TESTS / "consent/signals/reference_strings.json").read_text())


def shared(kind: str) -> list:
    return json.loads((SHARED / f"{kind}.json").read_text()) if SHARED.is_dir() else []
