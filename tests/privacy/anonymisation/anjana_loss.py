"""Run by anjana's Python (tests/helpers/judges.py): what anjana's k-anonymity loses with the same hierarchies."""

import io
import json
import sys
from pathlib import Path

import pandas as pd
from anjana.anonymity import k_anonymity

question, answer = map(Path, sys.argv[1:])
found = []
for table in json.loads(question.read_text()):
    rows = pd.read_csv(io.StringIO(table["csv"]), dtype=str, keep_default_na=False)
    paths = {name: {path[0]: path for path in given} for name, given in table["paths"].items()}
    levels = {
        name: {level: [paths[name][value][level] for value in rows[name]] for level in range(len(given[0]))}
        for name, given in table["paths"].items()
    }
    released = k_anonymity(rows, [], list(paths), table["k"], 0, levels)
    lost = 0.0
    for name, of in paths.items():
        under = {}
        for leaf, path in of.items():
            for node in path:
                under.setdefault(node, set()).add(leaf)
        lost += sum((len(under[label]) - 1) / (len(of) - 1) for label in released[name]) / len(released)
    found.append({"ncp": lost / len(paths), "smallest": int(released.groupby(list(paths)).size().min())})
answer.write_text(json.dumps(found))
