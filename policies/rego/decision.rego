# The answer to "may this be done?". Permits are written positively; whatever is not permitted is denied.
package governance.decision

# METADATA
# title: The decision
# description: Always defined, for any facts. What it means is public API, see the decision contract.
# entrypoint: true
answer := {
	"revision": revision,
	"decision": permitted,
	"level": level,
	"reasons": reasons,
	"obligations": obligations,
	"legal_basis": legal_basis,
	"requestable": requestable,
}

default revision := null

revision := data.revision

# METADATA
# title: Permit
# description: Nothing stands in the way, and the consent that is needed is in force.
default permitted := false

permitted if {
	permitted_but_for_consent
	consent_in_force
}

# METADATA
# title: Consent is the only thing missing
# description: True if asking the subject could turn the denial into a permit. Never true after a refusal.
default requestable := false

requestable if {
	not permitted
	permitted_but_for_consent
	consent_askable
}

permitted_but_for_consent if {
	readable
	input.action in purpose.actions
	input.subject.known == true
	is_object(jurisdiction)
	input.held == false
	input.restricted == false
	input.objection == false
	model_fit
	residency_allowed
	categories_permitted
	action_permitted
}

# METADATA
# title: Level
# description: The highest permitted level not above the requested one; null when nobody asked to personalize.
default level := null

level := highest_level if {
	input.action == "personalize"
	permitted
} else := "none" if {
	input.action == "personalize"
}
