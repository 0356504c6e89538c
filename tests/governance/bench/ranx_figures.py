"""Run by ranx's Python (tests/helpers/judges.py): what ranx finds in the lists of ``bench recommender --lists``."""

import json
import sys
from pathlib import Path

from ranx import Qrels, Run, evaluate

question, answer = map(Path, sys.argv[1:])
exported = json.loads(question.read_text())
qrels = Qrels({person: dict.fromkeys(items, 1) for person, items in exported["relevant"].items()})
names = {"ndcg_at_10": "ndcg@10", "precision": "precision@10", "recall": "recall@10"}
found = {}
for what, lists in exported["lists"].items():
    # A list may be empty; ranx wants at least one item of everybody.
    scored = {
        person: {item: float(len(items) - place) for place, item in enumerate(items)} or {"no item": 1.0}
        for person, items in lists.items()
    }
    figures = evaluate(qrels, Run(scored), list(names.values()))
    found[what] = {ours: float(figures[theirs]) for ours, theirs in names.items()}
answer.write_text(json.dumps(found))
