"""Keep what the sandboxed child answered, by what it was asked: many tests check the same policies over the same data.

Only for the tasks whose answer follows from the question alone. How long policies take is measured each time, and a
child that came to its limits is asked again.
"""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from policies.authoring import checks

_KEPT_TASKS = ("lint", "check")


class KeptAnswers:
    """Stands for ``checks.sandboxed``, which starts a process for each question."""

    def __init__(self) -> None:
        self._ask = checks.sandboxed
        self._answers: dict[tuple[object, ...], str] = {}

    def __call__(self, asked: Mapping[str, Any], *, task: str = "check") -> dict[str, Any]:
        if task not in _KEPT_TASKS:
            return self._ask(asked, task=task)
        # Tests of the child itself give it other limits, or another way to be started.
        question = (task, json.dumps(asked, sort_keys=True), checks.TIMEOUT_S, subprocess.run)
        if question not in self._answers:
            answer = self._ask(asked, task=task)
            if _is_a_limit(answer):
                return answer
            self._answers[question] = json.dumps(answer)
        return dict(json.loads(self._answers[question]))


def _is_a_limit(answer: Mapping[str, Any]) -> bool:
    return any(answer == checks._ended(problem) for problem in answer.get("problems", ()))
