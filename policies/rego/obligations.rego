# What the caller has to do with the answer. One it cannot fulfil turns a permit into a denial on its side.
package governance.decision

# Duties carry their place in the answer, then themselves.
obligations := [duty | some [_, duty] in sort(duties)]

duties contains [1, {"type": "max_level", "properties": {"level": highest_level}}] if {
	input.action == "personalize"
	permitted
}

duties contains [2, {"type": "exclude_categories", "properties": {"categories": sort(excluded_categories)}}] if {
	permitted
	count(excluded_categories) > 0
}

# METADATA
# title: Retention
# description: Storage limitation, GDPR Article 5(1)(e). What is collected is deleted after the purpose's days.
duties contains [3, {"type": "delete_after", "properties": {"days": data.retention[input.purpose].days}}] if {
	input.action == "collect"
	permitted
}

# METADATA
# title: Transfers are logged
# description: >-
#   GDPR Article 30(1)(e). One entry for each transfer instrument relied upon; a category that a rule without an
#   instrument covers relies on none.
duties contains [4, {"type": "log_transfer", "properties": {"instrument": transfer_rule.instrument}}] if {
	permitted
	some transfer_rule in local_rules
	is_string(transfer_rule.instrument)
	in_force(transfer_rule)
	some category in residency_categories
	covers(transfer_rule, category)
	not covered_freely(category)
}

# METADATA
# title: Another region
# description: Where the same processing would be allowed, if residency is what denied it.
duties contains [5, {"type": "route_region", "properties": {"regions": sort(alternative_regions)}}] if {
	not permitted
	readable
	not residency_allowed
	count(alternative_regions) > 0
}

duties contains [6, {"type": "non_profiled", "properties": {}}] if {
	input.action == "personalize"
	not permitted
}
