"""The gates: what each asks for, in which stage of a release. No evidence is a failure.

A check reads what is known of a version (``found.Found``); the threshold is the one of the register, or the gate's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from model_registry.gates import audits, documents, measured, running
from model_registry.gates.documents import Check


class Stage(StrEnum):
    """Checklist that a gate is of: before people are served, while they are, and from time to time afterwards."""

    PRE_LAUNCH = "pre-launch"
    RUNTIME = "runtime"
    POST_DEPLOYMENT = "post-deployment"

    @property
    def heading(self) -> str:
        return self.value.capitalize()


PRE_LAUNCH, RUNTIME, POST_DEPLOYMENT = Stage


@dataclass(frozen=True)
class Gate:
    """A gate: its stage and title, what it asks for, its check, its threshold where a demand names none, the unit."""

    stage: Stage
    title: str
    asks: str
    check: Check
    threshold: Decimal = Decimal(0)
    unit: str = ""


_WHOLE = Decimal(100)
GATES: Mapping[str, Gate] = {
    "card": Gate(
        PRE_LAUNCH, "Model card", "a model card that is complete", documents.document("card"), _WHOLE, "of 100"
    ),
    "datasheet": Gate(
        PRE_LAUNCH, "Data sheet", "a data sheet that is complete", documents.document("datasheet"), _WHOLE, "of 100"
    ),
    "dpia": Gate(
        PRE_LAUNCH, "Impact assessment",
        "a data protection impact assessment: complete, of what the version may do, approved, not past its review",
        documents.assessment("dpia"), _WHOLE, "of 100",
    ),
    "fria": Gate(
        PRE_LAUNCH, "Fundamental rights",
        "a fundamental-rights assessment: complete, of what the version may do, approved, not past its review",
        documents.assessment("fria"), _WHOLE, "of 100",
    ),
    "runbook": Gate(PRE_LAUNCH, "Runbook", "a runbook with contacts", documents.document("runbook"), _WHOLE, "of 100"),
    "reviews": Gate(
        PRE_LAUNCH, "Reviews by role",
        "an approval of a document as it stands by each role that the demand names", documents.roles,
    ),
    "segments": Gate(
        PRE_LAUNCH, "Size of segments",
        "that no segment is smaller than the smallest group of the limits of disclosure, nor than this",
        measured.measured(measured.ANY, "segments", "Size of segments", measured.segments), unit="people",
    ),
    "quality": Gate(
        PRE_LAUNCH, "Quality", "no worse quality than the version in use, but for so many thousandths",
        measured.quality, Decimal(20), "thousandths",
    ),
    "fallback": Gate(
        PRE_LAUNCH, "Fallback", "that there is an answer when the model gives none",
        measured.measured(measured.ANY, "fallback", "Fallback"),
    ),
    "freshness": Gate(
        RUNTIME, "Freshness", "training data that is not older than so many days",
        measured.measured(measured.ANY, "freshness", "Freshness", measured.fresh), Decimal(90), "days",
    ),
    "files": Gate(
        PRE_LAUNCH, "Files and figures", "figures and digests of the card that come out of the version's files again",
        measured.measured(measured.AUDIT, "files", "Files and figures", measured.files),
    ),
    "opted_out": Gate(
        PRE_LAUNCH, "Service without a profile",
        "no worse service for people who opted out: as many items, none that only the model offers, no slower class, "
        "and a general list no worse than that of the version in use, but for so many thousandths",
        measured.measured(measured.ANY, "opted_out", "Service without a profile", measured.alike), Decimal(20),
        "thousandths",
    ),
    "epsilon": Gate(
        PRE_LAUNCH, "Privacy budget", "an epsilon of the training of at most this, and within the budgets of its data",
        documents.epsilon, Decimal(3), "epsilon",
    ),
    "bias_audit": Gate(
        PRE_LAUNCH, "Bias audit", "that no group of people is served much worse than the others",
        measured.audited("bias", "Bias audit", audits.bias), Decimal("0.8"), "of the others",
    ),
    "leak_audit": Gate(
        PRE_LAUNCH, "Leak audit", "that the model gives away neither who it was trained on nor what they did",
        measured.audited("leak", "Leak audit", audits.leak), Decimal("0.35"), "gain over guessing",
    ),
    "adversarial_audit": Gate(
        PRE_LAUNCH, "Adversarial audit", "that hostile input and a few fake profiles change little",
        measured.audited("adversarial", "Adversarial audit", audits.adversarial), Decimal("0.25"), "of people",
    ),
    "regression_audit": Gate(
        PRE_LAUNCH, "Recorded cases", "that recorded cases are answered as recorded",
        measured.audited("regression", "Recorded cases", audits.regression), Decimal(0), "cases",
    ),
    "ageing_audit": Gate(
        POST_DEPLOYMENT, "Quality by age", "that quality does not fall fast after a training",
        measured.audited("ageing", "Quality by age", audits.ageing), Decimal(50), "thousandths",
    ),
    "monitoring": Gate(
        RUNTIME, "Monitoring", "monitors that measured a version that serves within so many days",
        running.monitoring, Decimal(7), "days",
    ),
    "inputs": Gate(
        RUNTIME, "Inputs in use", "inputs that are known and arrive, within the objectives of their monitors",
        running.within("inputs", "Inputs"),
    ),
    "drift": Gate(
        RUNTIME, "Drift", "inputs and scores that are not far from those of the training",
        running.within("drift", "Drift"),
    ),
    "service": Gate(
        RUNTIME, "Service in use", "latency, fallbacks and levels served within the objectives of their monitors",
        running.within("service", "Service"),
    ),
    "incident_contact": Gate(
        POST_DEPLOYMENT, "Incident contact", "a contact for incidents in the runbook, and who is informed of one",
        documents.contact,
    ),
    "audits_renewed": Gate(
        POST_DEPLOYMENT, "Audits by age", "audits, of those that are demanded, that are not older than so many days",
        running.audits_renewed, Decimal(365), "days",
    ),
    "retraining": Gate(
        POST_DEPLOYMENT, "Retraining", "a training that is no later than its schedule, but for so many days",
        running.retrained, Decimal(30), "days",
    ),
}  # fmt: skip
