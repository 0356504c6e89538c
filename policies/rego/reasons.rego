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
	"level_capped_by_choice": 27,
	"level_capped_by_signal": 28,
	"level_capped_by_jurisdiction": 29,
	"level_capped_by_model": 30,
	"level_capped_by_purpose": 31,
}

# METADATA
# title: Reasons
# description: >-
#   With a permit only what limited it (`limitations`). Where nothing but consent is missing, no other topic is
#   asked. Facts that cannot be read are denied for that alone.
all_denial_reasons := ordered(limitations | consent_denial_reasons) if {
	permitted_but_for_consent
} else := ordered(union({limitations, consent_denial_reasons, denial_reasons})) if {
	readable
} else := ordered({{"code": code, "detail": "unreadable"} | some code in unreadable})

# One reason alone needs no order.
ordered(found) := [reason | some reason in found] if {
	count(found) < 2
} else := [reason | some [_, reason] in sort([[precedence[each.code], each] | some each in found])]

# METADATA
# title: Limitations of an answer
# description: Ceilings that lower the level, and categories to leave out.
limitations := {limit.reason |
	input.action == "personalize"
	some limit in ceilings
} | {reason |
	not all_categories_usable
	some reason in category_limitations
}

category_limitations contains {
	"code": "sensitive_without_explicit_consent",
	"detail": concat(", ", sort(withheld_categories)),
} if {
	withheld_categories != set()
}

category_limitations contains {"code": "category_not_allowed", "detail": concat(", ", sort(foreign_categories))} if {
	foreign_categories != set()
	purpose_known
}

category_limitations contains {
	"code": "consent_refused",
	"detail": concat(", ", sort(refused_categories - unagreed_categories)),
} if {
	refused_categories - unagreed_categories != set()
}

category_limitations contains {"code": "renewal_required", "detail": concat(", ", sort(unagreed_categories))} if {
	unagreed_categories != set()
}

# METADATA
# title: What the person was not asked about
# description: >-
#   The kinds of data, action, recipient, channel or level of the question that the yes does not cover. It words the
#   answer and decides nothing.
new_parts := {part |
	parts := object.get(input, ["consent", "unagreed"], [])
	is_array(parts)
	some part in parts
	is_string(part)
}

# METADATA
# title: Consent denial reasons
# description: A stored no counts under every legal basis, a missing or lapsed yes only where consent is the basis.
consent_denial_reasons contains reason if reason := consent_denial_reason(choice)

consent_denial_reasons contains {"code": "consent_refused", "detail": "channel"} if {
	input.consent.channel_allowed == false
	choice != "refused"
}

consent_denial_reason(state) := {"code": "consent_refused"} if {
	state == "refused"
} else := {"code": "consent_withdrawn"} if {
	state == "withdrawn"
} else := lapse(state) if {
	state != "given"
	purpose_known
	needs_consent
	not served_unasked
}

lapse(state) := {"code": "renewal_required", "detail": concat(", ", sort(new_parts))} if {
	state == "renewal_required"
	new_parts != set()
} else := {"code": lapse_codes[state]}

lapse_codes := {
	"expired": "consent_expired",
	"renewal_required": "renewal_required",
	"never_asked": "consent_missing",
	"not_required": "consent_missing",
}

# METADATA
# title: Other denial reasons
# description: Everything besides consent that denies, topic by topic, even where one would have been enough.
denial_reasons contains {"code": purpose_denial_code} if not action_known

denial_reasons contains {"code": "subject_unknown"} if {
	input.subject.known == false
	not is_visitor
}

denial_reasons contains {"code": "region_unknown", "detail": "jurisdiction"} if {
	not jurisdiction
	subject_group
}

denial_reasons contains {"code": "legal_hold"} if input.held == true

denial_reasons contains {"code": "restricted"} if input.restricted == true

denial_reasons contains {"code": "objection"} if input.objection == true

denial_reasons contains {"code": "segment_too_small"} if {
	input.action == "personalize"
	lowest_rank == data.levels.segment
	not segment_large_enough
}

# What personalization needs is a level, and the reasons for its level are above.
denial_reasons contains reason if {
	action := input.action
	action != "personalize"
	not action_permitted(action)
	some reason in action_denial_reasons
}

denial_reasons contains reason if {
	not residency_allowed
	some reason in residency_denial_reasons
}

denial_reasons contains reason if {
	model := input.model
	not model_fit(model)
	some reason in model_denial_reasons
}

purpose_denial_code := "action_not_allowed" if purpose_known

else := "purpose_unknown"

# METADATA
# title: Action denial reasons
# description: What the action itself needs, see `action_permitted`.
action_denial_reasons contains {"code": "action_not_allowed", "detail": "channel"} if {
	input.action == "contact"
	action_known
	not channel_served
}

# Personalization is not here: there a minor's age is a ceiling on the level.
action_denial_reasons contains {"code": "minor"} if {
	input.action in {"share", "train", "release", "price", "contact", "transfer"}
	not adult
}

action_denial_reasons contains {"code": "minor"} if {
	input.action == "collect"
	input.consent.state != "not_required"
	not adult
}

# METADATA
# title: Opt-out signals against sharing
# description: CCPA Regulations section 7025 and its like. For personalization they are ceilings instead.
action_denial_reasons contains {"code": "signal_opt_out", "detail": "gpc"} if {
	input.action == "share"
	input.signals.gpc == true
	not signal_lifted
}

action_denial_reasons contains {"code": "signal_opt_out", "detail": "gpp"} if {
	input.action == "share"
	input.signals.gpp_opt_out == true
	not signal_lifted
}

action_denial_reasons contains {"code": "recipient_not_allowed"} if {
	input.action == "share"
	purpose_known
	not recipient_allowed
}

action_denial_reasons contains {"code": "quiet_hours"} if {
	input.action == "contact"
	input.time.quiet_hours == true
}

action_denial_reasons contains {"code": "budget_exhausted"} if {
	input.action == "release"
	input.engine.privacy_budget != "available"
}

# METADATA
# title: Residency denial reasons
# description: The detail names groups of regions, never people.
residency_denial_reasons contains {"code": "region_unknown"} if not subject_group

residency_denial_reasons contains {"code": "residency", "detail": "processing region unknown"} if not processing_group

residency_denial_reasons contains {"code": "residency", "detail": concat(" to ", [subject_group, processing_group])} if {
	uncovered_categories != set()
}

residency_denial_reasons contains {"code": "transfer_instrument_expired", "detail": concat(", ", sort(expired_rules))} if {
	expired_rules != set()
}

# METADATA
# title: Model denial reasons
# description: Its state, its approval for the purpose, and its release gates.
model_denial_reasons contains {"code": "model_unknown"} if input.model.status == "unknown"

model_denial_reasons contains {"code": "model_not_live", "detail": input.model.status} if {
	input.model.status in {"canary", "draft", "suspended", "retired"}
}

model_denial_reasons contains {"code": "model_purpose"} if {
	input.model.status != "unknown"
	asked := input.purpose
	approved := input.model.purposes
	not asked in approved
}

model_denial_reasons contains {"code": "gate_failed"} if {
	input.model.status != "unknown"
	input.model.gates != "passed"
}
