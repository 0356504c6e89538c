"""Run by pycanon's Python (tests/helpers/judges.py): the k, the l and the t that pycanon finds in each table."""

import io
import json
import sys
from pathlib import Path

import pandas as pd
from pycanon import anonymity

question, answer = map(Path, sys.argv[1:])
levels = []
for table in json.loads(question.read_text()):
    rows = pd.read_csv(io.StringIO(table["csv"]), dtype=str, keep_default_na=False)
    found = {"k": anonymity.k_anonymity(rows, table["quasi_identifiers"])}
    if table["sensitive"] is not None:
        found["l"] = anonymity.l_diversity(rows, table["quasi_identifiers"], [table["sensitive"]])
        found["t"] = float(anonymity.t_closeness(rows, table["quasi_identifiers"], [table["sensitive"]]))
    levels.append(found)
answer.write_text(json.dumps(levels, default=int))
