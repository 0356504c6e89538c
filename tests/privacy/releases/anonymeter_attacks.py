"""Run by anonymeter's Python (tests/helpers/judges.py): how often its attacks hit people of a table, and a control."""

import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

warnings.simplefilter("ignore")
question, answer = map(Path, sys.argv[1:])


def rates(evaluator):
    found = evaluator.results()
    return {"rate": found.attack_rate.value, "control": found.control_rate.value, "risk": found.risk().value}


def attacked(case):
    np.random.seed(1)
    numbers = dict.fromkeys(case["numbers"], float)
    tables = [
        pd.read_csv(io.StringIO(case[name]), dtype=str, keep_default_na=False) for name in ("in", "copy", "control")
    ]
    ori, syn, control = (table.astype(numbers) for table in tables)
    known, secret, tries = case["known"], case["secret"], case["tries"]
    found = {}
    inference = InferenceEvaluator(
        ori=ori, syn=syn, control=control, aux_cols=known, secret=secret, n_attacks=tries, regression=False
    )
    found["inference"] = rates(inference.evaluate(n_jobs=1))
    half = len(known) // 2
    linking = LinkabilityEvaluator(
        ori=ori, syn=syn, control=control, aux_cols=(known[:half], known[half:]), n_attacks=tries, n_neighbors=1
    )
    found["linkability"] = rates(linking.evaluate(n_jobs=1))
    how = {"n_attacks": case["queries"], "n_cols": case["columns"], "max_attempts": 30_000, "seed": 1}
    singling = SinglingOutEvaluator(ori=ori, syn=syn, control=control, **how)
    try:
        found["singling out"] = rates(singling.evaluate(mode="multivariate"))
    except RuntimeError:  # no query singles out a row of the copy
        found["singling out"] = {"rate": 0.0, "control": 0.0, "risk": 0.0}
    return found


answer.write_text(json.dumps([attacked(case) for case in json.loads(question.read_text())]))
