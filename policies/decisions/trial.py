"""Trials: questions about people who do not exist, judged by the revision in force and kept nowhere."""

import time

from policies import engines
from policies.bundles.loading import LoadedBundle
from policies.decisions import facts
from policies.decisions.information import Information
from policies.decisions.questions import Question
from policies.decisions.rendering import RenderedVerdict, failure, render_verdict
from policies.engines import EngineFailure
from policies.engines.base import QUERY


def judge(question: Question, known: Information, bundle: LoadedBundle) -> RenderedVerdict:
    """Return what the rules of a bundle answer. A failure of the engine is a rendered denial.

    It is always the embedded engine: an OPA server may log what it is asked as decisions. No memo hears of it either.
    """
    asked = facts.build(question, known, bundle, time.time())
    engine = engines.embedded_engine()
    try:
        return render_verdict(engine.evaluate(bundle, asked.document, QUERY), asked.document, engine.name)
    except EngineFailure as failed:
        return failure(failed.reason, bundle.revision, asked.document)
