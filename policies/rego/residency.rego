# Where the data may be processed. Nothing outside its region is allowed unless a rule says so.
package governance.decision

subject_group := data.residency.regions[input.subject.region]

processing_group := data.residency.processing[input.processing.region]

# METADATA
# title: The place of processing is allowed
# description: >-
#   GDPR Chapter V. Every requested category needs a rule from the subject's group of regions to the group of the
#   processing region, and the rule's transfer instrument, if it has one, must not have expired.
residency_allowed if {
	all_free
} else if {
	all_allowed_into(processing_group)
}

# The likely case: a rule for all categories that needs no transfer instrument.
all_free if {
	residency := data.residency
	from := residency.regions[input.subject.region]
	into := residency.processing[input.processing.region]
	some transfer_rule in residency.rules
	transfer_rule.processing == into
	transfer_rule.subject == from
	transfer_rule.instrument == null
	"*" in transfer_rule.categories
}

local_rules := [transfer_rule |
	from := subject_group
	into := processing_group
	some transfer_rule in data.residency.rules
	transfer_rule.processing == into
	transfer_rule.subject == from
]

all_allowed_into(group) if {
	[group, "*"] in allowed_into
} else if {
	every category in residency_categories { [group, category] in allowed_into }
}

# Pairs: what may go into which group of processing regions, by the rules in force for the subject's group of regions.
allowed_into contains [transfer_rule.processing, category] if {
	from := subject_group
	some transfer_rule in data.residency.rules
	transfer_rule.subject == from
	in_force(transfer_rule)
	some category in transfer_rule.categories
}

in_force(transfer_rule) if {
	transfer_rule.instrument == null
} else if {
	instrument := transfer_rule.instrument
	is_string(instrument)
	ended := input.processing.expired_instruments
	not instrument in ended
}

# Without requested categories only a rule for all of them ("*") can serve.
residency_categories := requested_categories if {
	requested_categories != set()
} else := {"*"}

covers(transfer_rule, category) if {
	"*" in transfer_rule.categories
} else if {
	category in transfer_rule.categories
}

# What may be processed there without relying on a transfer instrument.
free_categories := {category |
	some transfer_rule in local_rules
	transfer_rule.instrument == null
	some category in transfer_rule.categories
}

# METADATA
# title: Categories no rule covers
# description: Those without any rule; a rule whose instrument has expired is told apart by `expired_rules`.
uncovered_categories := set() if {
	some transfer_rule in local_rules
	"*" in transfer_rule.categories
} else := residency_categories - {category |
	some transfer_rule in local_rules
	some category in transfer_rule.categories
}

# METADATA
# title: Rules that would permit if their transfer instrument had not expired
# description: Ids of the rules, for the categories that no rule in force covers.
expired_rules := {transfer_rule.id |
	some transfer_rule in local_rules
	not in_force(transfer_rule)
	into := transfer_rule.processing
	some category in residency_categories
	not [into, category] in allowed_into
	covers(transfer_rule, category)
}

# METADATA
# title: Regions where the processing would be allowed
# description: Offered to the caller when residency denies.
alternative_regions := {region |
	some region, group in data.residency.processing
	all_allowed_into(group)
}
