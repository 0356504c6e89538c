"""Run by mlcroissant's Python (tests/helpers/judges.py): what the format's library finds wrong in each document."""

import json
import sys
from pathlib import Path

import mlcroissant

question, answer = map(Path, sys.argv[1:])


def issues(document: dict) -> dict[str, list[str]]:
    try:
        found = mlcroissant.Dataset(jsonld=document).metadata.ctx.issues
    except mlcroissant.ValidationError as refused:
        return {"errors": [str(refused)], "warnings": []}
    return {"errors": sorted(found.errors), "warnings": sorted(found.warnings)}


answer.write_text(json.dumps([issues(document) for document in json.loads(question.read_text())]))
