# What may leave. One release of a table, made safe before, by what was measured of it and by whom it is for.
package governance.release

# METADATA
# title: The judgement of one release
# description: >-
#   Always defined. A refusal names every finding as a reason; a permit names what the second officer should look at as
#   obligations. What is not stated counts as the weakest, and what no limit is stored for is refused.
# entrypoint: true
answer := {
	"revision": data.revision,
	"decision": true,
	"level": null,
	"reasons": [],
	"obligations": [{"type": "look_at", "properties": {"code": code, "detail": detail}} | some [code, detail] in sort(warnings)],
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

permitted if {
	readable
	strong_enough
	receivers_allowed
	place_allowed
	short_enough
	composes
	names_no_one
	withstands
}

default readable := false

readable if {
	is_string(input.kind)
	is_number(input.k)
	is_number(input.l)
	is_number(input.t)
	is_boolean(input.has_sensitive)
	is_boolean(input.person_key)
	is_number(input.days)
	is_string(input.purpose)
	is_string(input.people)
	is_string(input.region)
	all_strings(input.receivers)
	all_strings(input.expired_instruments)
	limits_readable
}

limits_readable if {
	is_number(data.disclosure.k_at_least)
	is_number(data.disclosure.l_at_least)
	is_number(data.disclosure.t_at_most)
	is_number(data.disclosure.epsilon_at_most)
	is_number(data.disclosure.inferred_at_most)
	is_number(data.disclosure.singled_out_at_most)
	is_number(data.disclosure.days_at_most)
	is_number(data.disclosure.overlap_at_least)
}

all_strings(values) if {
	is_array(values)
	every value in values {
		is_string(value)
	}
}

# METADATA
# title: Protection
# description: >-
#   A table by its smallest class, and by l and t where it shows a sensitive column. Where noise protects, its epsilon.
strong_enough if {
	input.kind == "table"
	input.k >= data.disclosure.k_at_least
	diverse_enough
} else if {
	input.kind == "noisy"
	is_number(input.epsilon)
	input.epsilon > 0
	input.epsilon <= data.disclosure.epsilon_at_most
}

diverse_enough if {
	input.has_sensitive == false
} else if {
	input.l >= data.disclosure.l_at_least
	input.t <= data.disclosure.t_at_most
}

# METADATA
# title: Receivers
# description: The register of purposes names who may receive data for the purpose.
receivers_allowed if {
	input.receivers != []
	every receiver in input.receivers {
		receiver in data.purposes[input.purpose].recipients
	}
}

# METADATA
# title: The place
# description: >-
#   By the residency rules that requests obey: from the group of the people to that of the region where the receiver
#   keeps it, for every category of the purpose.
place_allowed if {
	into := data.residency.processing[input.region]
	every category in categories {
		allowed(into, category)
	}
}

categories := {category | some category in data.purposes[input.purpose].data_categories} if {
	data.purposes[input.purpose].data_categories != []
} else := {"*"}

allowed(into, category) if {
	some transfer_rule in data.residency.rules
	serves(transfer_rule, into, category)
	in_force(transfer_rule)
}

serves(transfer_rule, into, category) if {
	transfer_rule.subject == input.people
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

short_enough if {
	input.days > 0
	input.days <= data.disclosure.days_at_most
}

# METADATA
# title: Together with earlier releases of the table
# description: >-
#   What is left of a person's class when releases are laid on each other. The limits say whether too little refuses the
#   release or warns its second officer.
composes if {
	input.smallest_overlap == null
} else if {
	is_number(input.smallest_overlap)
	input.smallest_overlap >= data.disclosure.overlap_at_least
} else if {
	is_number(input.smallest_overlap)
	data.disclosure.overlap == "warn"
}

warnings contains ["overlap", sprintf("%v", [input.smallest_overlap])] if {
	is_number(input.smallest_overlap)
	input.smallest_overlap < data.disclosure.overlap_at_least
}

# METADATA
# title: Pseudonyms
# description: >-
#   A hash, a token or an encrypted value points to one person, and joins all rows of that person. The limits say whether
#   it refuses the release or warns its second officer.
names_no_one if {
	input.person_key == false
} else if {
	input.person_key == true
	data.disclosure.person_key == "warn"
}

warnings contains ["person_key", ""] if {
	input.person_key == true
}

# METADATA
# title: Attacks
# description: >-
#   What attacks on a part of the copy learnt about who is in it beyond what they learnt about a control group. Where
#   there were too few rows to measure it, the second officer is warned.
withstands if {
	below(input.inferred, data.disclosure.inferred_at_most)
	below(input.singled_out, data.disclosure.singled_out_at_most)
}

below(found, limit) if {
	found == null
} else if {
	is_number(found)
	found <= limit
}

warnings contains ["attack_unmeasured", ""] if {
	input.kind == "table"
	input.has_sensitive == true
	input.inferred == null
}

# METADATA
# title: Findings
# description: Pairs of a stable code and what it is about. They explain a refusal and decide nothing.
findings contains ["release_unreadable", ""] if {
	not readable
}

findings contains ["k_too_small", sprintf("%v of %v", [input.k, data.disclosure.k_at_least])] if {
	readable
	input.kind == "table"
	input.k < data.disclosure.k_at_least
}

findings contains ["l_too_small", sprintf("%v of %v", [input.l, data.disclosure.l_at_least])] if {
	readable
	input.kind == "table"
	input.has_sensitive == true
	input.l < data.disclosure.l_at_least
}

findings contains ["t_too_large", sprintf("%v of %v", [input.t, data.disclosure.t_at_most])] if {
	readable
	input.kind == "table"
	input.has_sensitive == true
	input.t > data.disclosure.t_at_most
}

findings contains ["protection_unknown", input.kind] if {
	readable
	not strong_enough
	input.kind != "table"
	not too_much_epsilon
}

too_much_epsilon if {
	input.kind == "noisy"
	is_number(input.epsilon)
	input.epsilon > data.disclosure.epsilon_at_most
}

findings contains ["epsilon_too_large", sprintf("%v of %v", [input.epsilon, data.disclosure.epsilon_at_most])] if {
	readable
	too_much_epsilon
}

findings contains ["purpose_unknown", purpose] if {
	readable
	purpose := input.purpose
	not data.purposes[purpose]
}

findings contains ["recipient_not_allowed", receiver] if {
	readable
	allowed_receivers := data.purposes[input.purpose].recipients
	some receiver in input.receivers
	not receiver in allowed_receivers
}

findings contains ["recipient_not_allowed", ""] if {
	readable
	input.receivers == []
}

findings contains ["region_unknown", region] if {
	readable
	region := input.region
	not data.residency.processing[region]
}

findings contains ["residency", concat(" to ", [input.people, into])] if {
	readable
	into := data.residency.processing[input.region]
	not place_allowed
}

findings contains ["days_too_many", sprintf("%v of %v", [input.days, data.disclosure.days_at_most])] if {
	readable
	not short_enough
}

findings contains ["overlap", sprintf("%v of %v", [input.smallest_overlap, data.disclosure.overlap_at_least])] if {
	readable
	not composes
}

findings contains ["person_key", ""] if {
	readable
	not names_no_one
}

findings contains ["inferred_too_often", sprintf("%v of %v", [found, limit])] if {
	readable
	found := input.inferred
	limit := data.disclosure.inferred_at_most
	not below(found, limit)
}

findings contains ["singled_out_too_often", sprintf("%v of %v", [found, limit])] if {
	readable
	found := input.singled_out
	limit := data.disclosure.singled_out_at_most
	not below(found, limit)
}
