# Where the data may be processed. Nothing outside its region is allowed unless a rule says so.
package governance.decision

subject_group := data.residency.regions[input.subject.region]

processing_group := data.residency.processing[input.processing.region]

# METADATA
# title: The place of processing is allowed
# description: >-
#   GDPR Chapter V. Every requested category needs a rule from the subject's group of regions to the group of the
#   processing region, and the rule's transfer instrument, if it has one, must not have expired.
default residency_allowed := false

residency_allowed if {
	some transfer_rule in local_rules
	is_null(transfer_rule.instrument)
	"*" in transfer_rule.categories
} else if {
	covered_by(local_rules)
}

local_rules := rules_into(data.residency.processing[input.processing.region])

rules_into(group) := [transfer_rule |
	from := data.residency.regions[input.subject.region]
	some transfer_rule in data.residency.rules
	transfer_rule.subject == from
	transfer_rule.processing == group
]

covered_by(transfer_rules) if {
	every category in residency_categories { covered_in_force(transfer_rules, category) }
}

# Without requested categories only a rule for all of them ("*") can serve.
residency_categories := requested_categories if {
	count(requested_categories) > 0
} else := {"*"}

covered_in_force(transfer_rules, category) if {
	some transfer_rule in transfer_rules
	in_force(transfer_rule)
	covers(transfer_rule, category)
}

covered(transfer_rules, category) if {
	some transfer_rule in transfer_rules
	covers(transfer_rule, category)
}

covered_freely(category) if {
	some transfer_rule in local_rules
	is_null(transfer_rule.instrument)
	covers(transfer_rule, category)
}

covers(transfer_rule, category) if {
	"*" in transfer_rule.categories
} else if {
	category in transfer_rule.categories
}

in_force(transfer_rule) if {
	is_null(transfer_rule.instrument)
} else if {
	is_string(transfer_rule.instrument)
	not expired(transfer_rule.instrument)
}

expired(instrument) if instrument in input.processing.expired_instruments

# METADATA
# title: Categories no rule covers
# description: Those without any rule; a rule whose instrument has expired is told apart by `expired_rules`.
uncovered_categories := {category |
	some category in residency_categories
	not covered(local_rules, category)
}

# METADATA
# title: Rules that would permit if their transfer instrument had not expired
# description: Ids of the rules, for the categories that no rule in force covers.
expired_rules := {transfer_rule.id |
	some category in residency_categories
	not covered_in_force(local_rules, category)
	some transfer_rule in local_rules
	covers(transfer_rule, category)
}

# METADATA
# title: Regions where the processing would be allowed
# description: Offered to the caller when residency denies.
alternative_regions := {region |
	some region, group in data.residency.processing
	covered_by(rules_into(group))
}
