"""Run by OpenDP's Python (tests/helpers/judges.py): epsilon, error and draws of discrete Laplace noise."""

import json
import sys
from pathlib import Path

import opendp.prelude as dp

dp.enable_features("contrib")
question, answer = map(Path, sys.argv[1:])
found = []
for case in json.loads(question.read_text()):
    if "deviation" in case:
        gaussian = dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), scale=case["deviation"])
        draws = [gaussian(0) for _ in range(case["draws"])]
        found.append({"rho": gaussian.map(case["sensitivity"]), "draws": draws})
        continue
    space = dp.atom_domain(T="i64"), dp.absolute_distance(T="i64")
    mechanism = dp.m.make_laplace(*space, scale=case["sensitivity"] / case["epsilon"])
    found.append(
        {
            "epsilon": mechanism.map(case["sensitivity"]),
            "accuracy": dp.discrete_laplacian_scale_to_accuracy(case["sensitivity"] / case["epsilon"], case["alpha"]),
            "draws": [mechanism(0) for _ in range(case["draws"])],
        }
    )
answer.write_text(json.dumps(found))
