"""Roles of officers: what each may do, as data (``role_groups`` brings an installation up to it). Knows no Django.

A role is a Django group with a fixed name, made of capabilities; a capability is a sentence and the permissions behind
it. What a role may do is changed here and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "role:"
_REGISTERS = (
    "consent.purpose",
    "consent.purposetext",
    "consent.purposedata",
    "consent.datacategory",
    "consent.datacategorytext",
    "consent.party",
    "consent.site",
    "policies.jurisdiction",
    "policies.region",
    "policies.processingregion",
    "policies.processingsystem",
    "policies.transferinstrument",
    "policies.residencyrule",
    "policies.displayrule",
    "policies.rankingrule",
    "policies.pricerule",
    "policies.frequencycap",
    "policies.maskrule",
    "policies.sensitivecategory",
    "privacy.disclosurelimits",
    "privacy.externaltable",
    "privacy.recordperiod",
    "privacy.retentionschedule",
    "rights.agent",
)
_BUDGETS = ("privacy.privacybudget", "privacy.statistic")
_HOLDS = ("privacy.hold", "privacy.restriction")
_POLICIES = ("policies.policy", "policies.bundle", "policies.activation", "policies.rollout")
_GATES = (
    "model_registry.gatedemand",
    "model_registry.gateexemption",
    "model_registry.stoppedsegment",
    "reviews.reviewrule",
)
_CASES = ("personalization.regressioncase",)
_OBJECTIVES = ("personalization.monitorobjective", "personalization.feature")
_MODELS = (
    "model_registry.model",
    "model_registry.modelversion",
    "personalization.auditrun",
    *_GATES,
    *_CASES,
    *_OBJECTIVES,
)


def _rights(verbs: str, models: Iterable[str]) -> frozenset[str]:
    return frozenset(model.replace(".", f".{verb}_") for model in models for verb in verbs.split())


@dataclass(frozen=True)
class Capability:
    """Something an officer can do, in one line, and the permissions that it takes."""

    sentence: str
    rights: frozenset[str]


CAPABILITIES = {
    "read-registers": Capability(
        "Read the registers, notices, policies, models and change sets",
        _rights(
            "view",
            (
                *_REGISTERS,
                "consent.notice",
                *_POLICIES,
                "policies.simulationreport",
                *_MODELS,
                "personalization.modelrollout",
                "oversight.changeset",
                "oversight.relaxedregister",
                "privacy.deletionplan",
                "privacy.tablerelease",
            ),
        ),
    ),
    "read-figures": Capability(
        "Read figures: published statistics, privacy budgets, counts of days and events",
        _rights("view", ("consent.dailycount", "privacy.release", *_BUDGETS, "personalization.eventcount")),
    ),
    "read-exact-figures": Capability(
        "Read exact figures of people's choices, without noise: trust metrics",
        frozenset({"consent.view_exactfigures"}),
    ),
    "answer-people": Capability(
        "Answer requests of people: identity, blockers, extensions, refusals",
        frozenset({"rights.view_rightsrequest", "rights.change_rightsrequest"})
        | _rights("view add delete", ("personalization.creatoroptout",)),
    ),
    "read-people": Capability(
        "Look at one person: consent proof, ledger, deletions, legal holds and restrictions",
        _rights(
            "view",
            (
                "consent.datasubject",
                "consent.consentrecord",
                "privacy.disposal",
                "rights.rightsrequest",
                *_HOLDS,
            ),
        ),
    ),
    "read-decisions": Capability(
        "Read the decision log, and which outputs were reviewed",
        _rights("view", ("policies.decision", "policies.externaldecision", "policies.logdrop", "reviews.review")),
    ),
    "read-evidence": Capability(
        "Read the audit log and its anchors",
        _rights("view", ("audit.auditevent", "audit.auditanchor")),
    ),
    "read-operation": Capability(
        "Read officers, their sessions, credentials, OPA servers, imports and the catalogue",
        _rights(
            "view",
            (
                "auth.user",
                "auth.group",
                "policies.servicecredential",
                "policies.opainstance",
                "consent.consentimport",
                "personalization.item",
                "personalization.creatoroptout",
                "governance.officersession",
            ),
        ),
    ),
    "propose-changes": Capability(
        "Draft changes of the registers and notices, and propose them",
        _rights("add change delete", _REGISTERS) | {"consent.add_notice", "oversight.propose_changeset"},
    ),
    "propose-statistics": Capability(
        "Draft statistics and privacy budgets, and propose them",
        _rights("add change delete", _BUDGETS) | {"oversight.propose_changeset"},
    ),
    "prepare-releases": Capability(
        "Upload tables, make them safe, propose their release, revoke it",
        _rights("view add", ("privacy.tablerelease", "privacy.uploadedtable")),
    ),
    "reveal-tokens": Capability(
        "Open pseudonyms of released tables: whose they are, with a reason that the person can read",
        frozenset({"privacy.reveal_vaulttoken"}),
    ),
    "propose-holds": Capability(
        "Draft legal holds and restrictions of people, and propose them",
        _rights("add change", _HOLDS) | {"oversight.propose_changeset"},
    ),
    "relax-registers": Capability(
        "Propose that one officer may change a register",
        _rights("add change delete", ("oversight.relaxedregister",)) | {"oversight.propose_changeset"},
    ),
    "change-in-emergency": Capability(
        "Bring a change into force alone in an emergency, reviewed afterwards",
        frozenset({"oversight.emergency_changeset"}),
    ),
    "write-policies": Capability(
        "Write policy versions and simulate them",
        frozenset({"policies.add_policy", "policies.add_simulationreport"}),
    ),
    "approve": Capability(
        "Approve another officer's change set, deletion plan or release, pause deletions; activate their policy",
        frozenset({"oversight.approve_changeset", "policies.add_policyactivation", "policies.add_simulationreport"})
        | {"privacy.approve_deletionplan", "privacy.control_disposal", "privacy.approve_tablerelease"},
    ),
    "register-models": Capability(
        "Register models, write their documents, propose approval, permissions, release gates, reviews, objectives",
        _rights("add change", ("model_registry.model", *_GATES, *_CASES))
        | _rights("add change delete", _OBJECTIVES)
        | {"model_registry.delete_gateexemption", "model_registry.delete_stoppedsegment"}
        | {"personalization.delete_regressioncase", "personalization.add_auditrun", "oversight.propose_changeset"},
    ),
    "approve-models": Capability(
        "Release, suspend and retire model versions",
        frozenset({"model_registry.change_modelversion", "personalization.add_auditrun"}),
    ),
    "play-people": Capability(
        "Play made-up people in the playground of the recommender",
        frozenset({"personalization.use_playground"}),
    ),
    "review-outputs": Capability(
        "Judge outputs of models before people are shown them",
        frozenset({"reviews.view_review", "reviews.change_review"}),
    ),
    "unmask-outputs": Capability(
        "See what rules of masking take from an output under review",
        frozenset({"reviews.view_masked_fields"}),
    ),
    "manage-access": Capability(
        "Manage officers, their roles and sessions, and service credentials",
        _rights("add change", ("auth.user", "policies.servicecredential"))
        | {"governance.change_officersession", "oversight.propose_changeset"},
    ),
}


@dataclass(frozen=True)
class Role:
    slug: str
    name: str
    sentence: str
    capabilities: tuple[str, ...]

    @property
    def group(self) -> str:
        """Return the name of the role's group."""
        return PREFIX + self.slug

    @property
    def rights(self) -> frozenset[str]:
        return frozenset().union(*(CAPABILITIES[name].rights for name in self.capabilities))


_READING = tuple(name for name in CAPABILITIES if name.startswith("read-"))
ROLES = {
    role.slug: role
    for role in (
        Role(
            "privacy-officer",
            "Privacy officer",
            "Answers for the registers: proposes changes, approves those of others, answers people.",
            (
                *_READING,
                "answer-people",
                "propose-changes",
                "propose-statistics",
                "prepare-releases",
                "propose-holds",
                "relax-registers",
                "change-in-emergency",
                "write-policies",
                "approve",
                "register-models",
                "approve-models",
                "play-people",
                "review-outputs",
                "unmask-outputs",
            ),
        ),
        Role(
            "approver",
            "Approver",
            "The second person: puts in force what another officer wrote, and writes nothing.",
            (
                "read-registers",
                "read-figures",
                "read-exact-figures",
                "read-decisions",
                "read-evidence",
                "approve",
                "approve-models",
                "play-people",
                "review-outputs",
            ),
        ),
        Role(
            "policy-author",
            "Policy author",
            "Writes policy versions, simulates them and drafts rules; another officer puts them in force.",
            ("read-registers", "read-decisions", "propose-changes", "write-policies", "play-people"),
        ),
        Role(
            "model-owner",
            "Model owner",
            "Registers models and what each may do; another officer approves them.",
            ("read-registers", "read-figures", "register-models", "play-people"),
        ),
        Role(
            "request-handler",
            "Request handler",
            "Answers the requests of people: looks at one person, hands out evidence, proposes restrictions.",
            ("read-registers", "read-people", "propose-holds", "answer-people", "review-outputs"),
        ),
        Role(
            "marketing",
            "Marketing and product",
            "Proposes purposes and notices and reads figures, never people; another officer approves.",
            ("read-registers", "read-figures", "read-exact-figures", "propose-changes"),
        ),
        Role(
            "token-custodian",
            "Token custodian",
            "Opens pseudonyms of released tables, each with a reason; prepares and approves none.",
            ("read-registers", "reveal-tokens"),
        ),
        Role("auditor", "Auditor", "Reads everything and changes nothing.", _READING),
        Role(
            "operator",
            "Operator",
            "Runs the installation: officers, sessions, credentials and OPA servers; no people and no registers.",
            ("read-figures", "read-operation", "manage-access"),
        ),
    )
}
_BY_GROUP = {role.group: role for role in ROLES.values()}


def of_group(name: str) -> Role | None:
    """Return the role a group stands for; None for a group that somebody made."""
    return _BY_GROUP.get(name)


def with_right(right: str) -> list[Role]:
    """Return the roles that have a permission, in Django's notation ``app.codename``."""
    return [role for role in ROLES.values() if right in role.rights]


def names_of(groups: Iterable[str]) -> list[str]:
    """Return groups as officers read them: roles by their name, other groups as they are called."""
    return sorted(role.name if (role := of_group(name)) else name for name in groups)
