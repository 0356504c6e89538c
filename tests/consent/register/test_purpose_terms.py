"""Terms that an officer gives a purpose: only those that DPV has, since each receipt carries them."""

import json

from tests.helpers.paths import CHECKOUT

DPV = json.loads((CHECKOUT / "tests/data/dpv-2.3-terms.json").read_text())
