# What the caller has to do with the answer. One it cannot fulfil turns a permit into a denial on its side.
package governance.decision

# Obligations carry their place in the answer, then themselves.
permit_obligations contains [1, {"type": "max_level", "properties": {"level": permitted_level}}] if {
	input.action == "personalize"
}

permit_obligations contains [2, {
	"type": "exclude_categories",
	"properties": {"categories": sort(excluded_categories)},
}] if {
	not all_categories_usable
	excluded_categories != set()
}

# METADATA
# title: Retention
# description: Storage limitation, GDPR Article 5(1)(e). What is collected is deleted after the purpose's days.
permit_obligations contains [3, {"type": "delete_after", "properties": {"days": data.retention[input.purpose].days}}] if {
	input.action == "collect"
}

# METADATA
# title: Transfers are logged
# description: >-
#   GDPR Article 30(1)(e). One entry for each transfer instrument relied upon; a category that a rule without an
#   instrument covers relies on none.
permit_obligations contains [4, {"type": "log_transfer", "properties": {"instrument": transfer_rule.instrument}}] if {
	not all_free
	some transfer_rule in local_rules
	is_string(transfer_rule.instrument)
	in_force(transfer_rule)
	some category in (residency_categories - free_categories)
	covers(transfer_rule, category)
}

# METADATA
# title: Another region
# description: Where the same processing would be allowed, if residency is what denied it.
denial_obligations contains [5, {"type": "route_region", "properties": {"regions": sort(alternative_regions)}}] if {
	readable
	not residency_allowed
	alternative_regions != set()
}

denial_obligations contains [6, {"type": "non_profiled", "properties": {}}] if input.action == "personalize"
