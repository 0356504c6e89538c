"""Strings that the reference encoders made, beside what the reference decoders read in them."""

import json

from tests.helpers.paths import DATA, TESTS

# Made with @iabgpp/cmpapi 3.2.0 and @iabtechlabtcf/core 1.5.21 from random choices.
OWN = json.loads((TESTS / "consent/signals/reference_strings.json").read_text())
GIVEN = {kind: json.loads((DATA / "signals" / f"{kind}.json").read_text()) for kind in ("tcf", "gpp")}
