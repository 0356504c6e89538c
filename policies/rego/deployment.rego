# Where systems may be built. One placement (a store, a process, a replica, a backup) by the rules that requests obey.
package governance.deployment

# METADATA
# title: The judgement of one placement
# description: >-
#   Always defined. A permit names the rules it rests on as obligations; a refusal names every finding as a reason. Facts
#   never default to less: what is not stated counts as unknown, and unknown is refused.
# entrypoint: true
answer := {
	"revision": data.revision,
	"decision": true,
	"level": null,
	"reasons": [],
	"obligations": [rests_on | some [_, rests_on] in sort(relied_on)],
	"legal_basis": null,
	"requestable": false,
} if {
	permitted
} else := {
	"revision": data.revision,
	"decision": false,
	"level": null,
	"reasons": [{"code": code, "detail": detail} | some [code, detail] in sort(findings)],
	"obligations": [],
	"legal_basis": null,
	"requestable": false,
}

# METADATA
# title: The place is allowed
# description: >-
#   GDPR Chapter V. For every group of people and every category there is a rule into the group of the place, without a
#   transfer instrument or with one that has not expired.
permitted if {
	readable
	input.subject_groups != []
	stray_purposes == set()
	stray_categories == set()
	into := place_group
	every subject in input.subject_groups {
		every category in categories {
			allowed(subject, into, category)
		}
	}
}

default readable := false

readable if {
	is_string(input.kind)
	is_string(input.region)
	is_string(input.region_group)
	all_strings(input.subject_groups)
	all_strings(input.data_categories)
	all_strings(input.purposes)
	all_strings(input.expired_instruments)
}

all_strings(values) if {
	is_array(values)
	every value in values {
		is_string(value)
	}
}

# The officers' register of processing regions comes before the table of cloud regions.
place_group := data.residency.processing[input.region] if {
	data.residency.processing[input.region]
} else := input.region_group if {
	input.region_group != ""
}

# METADATA
# title: Which categories the place has to be allowed for
# description: Those stated, else those of the purposes stated, else all ("*").
categories := {category | some category in input.data_categories} if {
	input.data_categories != []
} else := {category | some slug in input.purposes; some category in data.purposes[slug].data_categories} if {
	input.purposes != []
	every slug in input.purposes {
		data.purposes[slug].data_categories != []
	}
} else := {"*"}

allowed(subject, into, category) if {
	some transfer_rule in data.residency.rules
	serves(transfer_rule, subject, into, category)
	in_force(transfer_rule)
}

serves(transfer_rule, subject, into, category) if {
	transfer_rule.subject == subject
	transfer_rule.processing == into
	covers(transfer_rule, category)
}

covers(transfer_rule, category) if {
	"*" in transfer_rule.categories
} else if {
	category in transfer_rule.categories
}

in_force(transfer_rule) if {
	transfer_rule.instrument == null
} else if {
	instrument := transfer_rule.instrument
	is_string(instrument)
	ended := input.expired_instruments
	not instrument in ended
}

# Purposes that are not registered, where there is a register of purposes at all: the shipped defaults have none.
default stray_purposes := set()

stray_purposes := {slug | some slug in input.purposes} - {slug | some slug, _ in data.purposes} if {
	data.purposes != {}
}

# METADATA
# title: Categories that none of the stated purposes uses
# description: GDPR Article 5(1)(b) and (c). Looked at only where every stated purpose is registered.
default stray_categories := set()

stray_categories := {category | some category in input.data_categories; category != "*"} - used if {
	input.purposes != []
	data.purposes != {}
	stray_purposes == set()
	used := {category | some slug in input.purposes; some category in data.purposes[slug].data_categories}
}

relied_on contains [[transfer_rule.id], {"type": "rests_on", "properties": {
	"rule": transfer_rule.id,
	"instrument": transfer_rule.instrument,
}}] if {
	into := place_group
	some transfer_rule in data.residency.rules
	in_force(transfer_rule)
	some subject in input.subject_groups
	some category in categories
	serves(transfer_rule, subject, into, category)
}

# METADATA
# title: Findings
# description: Pairs of a stable code and what it is about. They explain a refusal and decide nothing.
findings contains ["placement_unreadable", ""] if {
	not readable
}

findings contains ["region_unstated", ""] if {
	readable
	input.region == ""
}

findings contains ["region_unknown", input.region] if {
	readable
	input.region != ""
	not place_group
}

findings contains ["subjects_unstated", ""] if {
	readable
	input.subject_groups == []
}

findings contains ["purpose_unknown", slug] if {
	readable
	some slug in stray_purposes
}

findings contains ["category_without_purpose", category] if {
	readable
	some category in stray_categories
}

findings contains ["transfer_instrument_expired", transfer_rule.id] if {
	readable
	into := place_group
	some [subject, category] in refused
	some transfer_rule in data.residency.rules
	serves(transfer_rule, subject, into, category)
}

findings contains ["residency", concat("", [subject, " in ", into, ": ", category])] if {
	readable
	into := place_group
	some [subject, category] in refused
	not any_rule(subject, into, category)
}

any_rule(subject, into, category) if {
	some transfer_rule in data.residency.rules
	serves(transfer_rule, subject, into, category)
}

# What no rule in force allows, by people and category.
refused contains [subject, category] if {
	into := place_group
	some subject in input.subject_groups
	some category in categories
	not allowed(subject, into, category)
}
