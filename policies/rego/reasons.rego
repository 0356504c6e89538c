# Why: stable codes, most decisive first.
package governance.decision

# METADATA
# title: Precedence of reasons
# description: Law first, then what the subject decided, then what the register, the model and the level add.
precedence := {
	"purpose_unknown": 1,
	"action_not_allowed": 2,
	"subject_unknown": 3,
	"region_unknown": 4,
	"minor": 5,
	"sensitive_without_explicit_consent": 6,
	"residency": 7,
	"transfer_instrument_expired": 8,
	"legal_hold": 9,
	"restricted": 10,
	"objection": 11,
	"consent_withdrawn": 12,
	"consent_refused": 13,
	"consent_expired": 14,
	"renewal_required": 15,
	"consent_missing": 16,
	"signal_opt_out": 17,
	"model_unknown": 18,
	"model_not_live": 19,
	"model_purpose": 20,
	"gate_failed": 21,
	"category_not_allowed": 22,
	"recipient_not_allowed": 23,
	"quiet_hours": 24,
	"budget_exhausted": 25,
	"segment_too_small": 26,
	"level_capped_by_signal": 27,
	"level_capped_by_model": 28,
	"level_capped_by_purpose": 29,
}

# METADATA
# title: Reasons
# description: >-
#   Beside a permit only what narrowed it. Facts that cannot be read are denied for that alone.
reasons := ordered(narrowings) if {
	permitted
} else := ordered(narrowings | hindrances) if {
	readable
} else := ordered({{"code": code, "detail": "unreadable"} | some code in unreadable})

ordered(found) := [reason | some [_, reason] in sort([[precedence[each.code], each] | some each in found])]

# METADATA
# title: What narrows an answer
# description: Ceilings that lower the level, and categories to leave out.
narrowings contains limit.reason if {
	input.action == "personalize"
	some limit in ceilings
}

narrowings contains {
	"code": "sensitive_without_explicit_consent",
	"detail": concat(", ", sort(withheld_categories)),
} if {
	count(excluded_categories) > 0
	count(withheld_categories) > 0
}

narrowings contains {"code": "category_not_allowed", "detail": concat(", ", sort(foreign_categories))} if {
	count(excluded_categories) > 0
	purpose_known
	count(foreign_categories) > 0
}

# METADATA
# title: What stands in the way
# description: Everything that denies, whichever of it would have been enough.
hindrances contains {"code": "purpose_unknown"} if not purpose_known

hindrances contains {"code": "action_not_allowed"} if {
	purpose_known
	not action_known
}

hindrances contains {"code": "action_not_allowed", "detail": "channel"} if {
	input.action == "contact"
	action_known
	not channel_served
}

hindrances contains {"code": "subject_unknown"} if input.subject.known == false

hindrances contains {"code": "region_unknown"} if not subject_group

hindrances contains {"code": "region_unknown", "detail": "jurisdiction"} if {
	subject_group
	not jurisdiction
}

# Personalization is not here: there a minor's age is a ceiling on the level.
hindrances contains {"code": "minor"} if {
	input.action in {"share", "train", "release", "price", "contact", "transfer"}
	not adult
}

hindrances contains {"code": "minor"} if {
	input.action == "collect"
	input.consent.state != "not_required"
	not adult
}

hindrances contains {"code": "residency", "detail": "processing region unknown"} if not processing_group

# The detail names groups of regions, never people.
hindrances contains {"code": "residency", "detail": concat(" to ", [subject_group, processing_group])} if {
	not residency_allowed
	count(uncovered_categories) > 0
}

hindrances contains {"code": "transfer_instrument_expired", "detail": concat(", ", sort(expired_rules))} if {
	not residency_allowed
	count(expired_rules) > 0
}

hindrances contains {"code": "legal_hold"} if input.held == true

hindrances contains {"code": "restricted"} if input.restricted == true

hindrances contains {"code": "objection"} if input.objection == true

# A stored no counts under every legal basis.
hindrances contains {"code": "consent_withdrawn"} if choice == "withdrawn"

hindrances contains {"code": "consent_refused"} if choice == "refused"

hindrances contains {"code": "consent_refused", "detail": "channel"} if {
	input.consent.channel_allowed == false
	choice != "refused"
}

hindrances contains {"code": lapses[choice]} if {
	purpose_known
	needs_consent
}

lapses := {
	"expired": "consent_expired",
	"renewal_required": "renewal_required",
	"never_asked": "consent_missing",
	"not_required": "consent_missing",
}

# METADATA
# title: Opt-out signals against sharing
# description: CCPA Regulations section 7025 and its like. For personalization they are ceilings instead.
hindrances contains {"code": "signal_opt_out", "detail": "gpc"} if {
	input.action == "share"
	input.signals.gpc == true
}

hindrances contains {"code": "signal_opt_out", "detail": "gpp"} if {
	input.action == "share"
	input.signals.gpp_opt_out == true
}

hindrances contains {"code": "model_unknown"} if input.model.status == "unknown"

hindrances contains {"code": "model_not_live", "detail": input.model.status} if {
	input.model.status in {"draft", "suspended", "retired"}
}

hindrances contains {"code": "model_purpose"} if {
	model_recognised
	not model_serves_purpose
}

hindrances contains {"code": "gate_failed"} if {
	model_recognised
	input.model.gates != "passed"
}

hindrances contains {"code": "recipient_not_allowed"} if {
	input.action == "share"
	purpose_known
	not recipient_allowed
}

hindrances contains {"code": "quiet_hours"} if {
	input.action == "contact"
	input.time.quiet_hours == true
}

hindrances contains {"code": "budget_exhausted"} if {
	input.action == "release"
	input.engine.privacy_budget != "available"
}

hindrances contains {"code": "segment_too_small"} if {
	input.action == "personalize"
	lowest_rank == data.levels.segment
	not segment_large_enough
}
