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

# METADATA
# title: Review by a person
# description: >-
#   What this leads to is shown only after a person has approved it, GDPR Article 22(3) and AI Act Article 14. One entry
#   for each rule of the register that marks it. Who is outside a rule's sample stands in the facts; without that
#   member nobody is.
permit_obligations contains [7, {"type": "human_review", "properties": object.union(duty, {"rule": slug})}] if {
	input.action == "personalize"
	some slug, mark in data.human_review
	not slug in unsampled_reviews
	marks_purpose(mark)
	marks_category(mark)
	rank(mark.from_level) <= rank(permitted_level)
	duty := {member: mark[member] | some member in ["confidence_below", "due_hours", "four_eyes", "serve_hours", "share"]}
}

default unsampled_reviews := set()

unsampled_reviews := {slug | some slug in input.unsampled_reviews} if is_array(input.unsampled_reviews)

marks_purpose(mark) if {
	mark.purpose == null
} else if {
	mark.purpose == input.purpose
}

marks_category(mark) if {
	mark.category == null
} else if {
	mark.category in used_categories
}

# What may be used of what was asked about; a question that names no data is about all of the purpose's.
used_categories := requested_categories - excluded_categories if {
	requested_categories != set()
} else := {category | some category in purpose.data_categories} - excluded_categories
