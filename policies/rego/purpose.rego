# The purpose named by the caller, and what each action needs besides consent.
package governance.decision

purpose := data.purposes[input.purpose]

default purpose_known := false

purpose_known if is_object(purpose)

# METADATA
# title: Legal basis
# description: GDPR Article 6, as the register of processing states it; null for a purpose that is not registered.
legal_basis := basis if {
	basis := purpose.legal_basis
} else := null

# METADATA
# title: The purpose needs consent
# description: >-
#   By its legal basis, or because the action is training a model or a personalised price: neither is ever
#   done on another basis. A basis that is none of GDPR Article 6(1)(b) to (f), a misspelling too, is consent.
default needs_consent := true

needs_consent := false if {
	legal_basis in {"contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"}
	input.action in {"personalize", "collect", "share", "release", "contact", "transfer"}
}

# METADATA
# title: What the action itself needs
# description: Each action that can be permitted at all, with its own conditions. No other action exists.
action_permitted(action) if {
	action == "personalize"
	lowest_rank > 0
	lowest_rank != data.levels.segment
} else if {
	action == "personalize"
	lowest_rank > 0
	segment_large_enough
} else if {
	action in {"train", "price", "transfer"}
	adult
} else if {
	action == "collect"
	adult
} else if {
	action == "collect"
	input.consent.state == "not_required"
} else if {
	action == "share"
	adult
	recipient_allowed
	no_signal_against_sharing
} else if {
	action == "release"
	adult
	input.engine.privacy_budget == "available"
} else if {
	action == "contact"
	adult
	channel_served
	input.time.quiet_hours == false
}

no_signal_against_sharing if {
	input.signals.gpc == false
	input.signals.gpp_opt_out == false
} else if {
	signal_lifted
}

action_known if {
	input.action in {"personalize", "collect", "share", "train", "release", "price", "contact", "transfer"}
	input.action in purpose.actions
}

recipient_allowed if input.processing.recipient in purpose.recipients

channel_served if input.processing.channel in purpose.channels
