# The answer to "may this be done?". Permits are written positively; whatever is not permitted is denied.
package governance.decision

# METADATA
# title: The decision
# description: Always defined, for any facts. What it means is public API, see the decision contract.
# entrypoint: true
answer := {
	"revision": data.revision,
	"decision": true,
	"level": permitted_level,
	"reasons": ordered(limitations),
	"obligations": [obligation | some [_, obligation] in sort(permit_obligations)],
	"legal_basis": legal_basis,
	"requestable": false,
} if {
	permitted
} else := {
	"revision": data.revision,
	"decision": false,
	"level": denied_level,
	"reasons": all_denial_reasons,
	"obligations": [obligation | some [_, obligation] in sort(denial_obligations)],
	"legal_basis": legal_basis,
	"requestable": requestable,
}

# METADATA
# title: Permit
# description: No other topic denies, and the consent that is needed is in force.
permitted if {
	permitted_but_for_consent
	input.consent.channel_allowed == true
	consent_suffices(choice)
}

# METADATA
# title: Consent is the only thing missing
# description: True if asking the subject could turn the denial into a permit. Never true after a refusal.
default requestable := false

requestable if {
	permitted_but_for_consent
	consent_askable
}

permitted_but_for_consent if {
	readable
	input.held == false
	input.restricted == false
	input.objection == false
	subject_served
	input.action in purpose.actions
	is_object(data.jurisdictions[input.subject.jurisdiction])
	model_fit(input.model)
	residency_allowed
	categories_permitted(input.action)
	action_permitted(input.action)
}

# METADATA
# title: Level
# description: The highest permitted level not above the requested one; null for any action but personalize.
permitted_level := null if {
	input.action != "personalize"
} else := input.requested_level if {
	lowest_rank == requested_rank
} else := name if {
	some name, place in data.levels
	place == lowest_rank
}

denied_level := "none" if {
	input.action == "personalize"
} else := null
