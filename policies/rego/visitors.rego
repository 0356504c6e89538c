# Visitors without a record. The question names no person: there is no choice to look up, and none could be kept.
package governance.decision

default is_visitor := false

is_visitor if input.visitor == true

# METADATA
# title: A visitor without a record is served
# description: >-
#   GDPR Articles 11 and 25. Only personalization, only for a purpose that a rule of ranking opened to visitors, and
#   never where consent is the basis: of a visitor no agreement can be kept.
default visitor_served := false

visitor_served if {
	is_visitor
	input.action == "personalize"
	data.ranking[input.purpose].serves_visitors == true
	needs_consent == false
}

# METADATA
# title: A subject to answer about
# description: A person of the register, or a visitor where the purpose serves them.
subject_served if {
	input.subject.known == true
} else if visitor_served

# METADATA
# title: Ceiling for visitors
# description: Of a visitor there is this visit and nothing else.
ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_purpose"}} if {
	is_visitor
	limit := rank("contextual")
	limit < requested_rank
}

denial_reasons contains {"code": "action_not_allowed", "detail": "visitor"} if {
	is_visitor
	not visitor_served
}
