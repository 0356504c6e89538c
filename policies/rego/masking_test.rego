package governance.decision_test

import data.governance.decision

mask_rule := {"item_fields": ["because", "why"], "age_bands": [], "regions": [], "purposes": []}

masked_for(changes, conditions) := {duty.properties |
	rules := {"mask": object.union(mask_rule, conditions)}
	answer := decision.answer with input as with_changes(changes) with data.mask_rules as rules
	some duty in answer.obligations
	duty.type == "mask_fields"
}

mask := {{"rule": "mask", "fields": ["because", "why"]}}

test_a_permit_and_a_denial_mask_the_same if {
	every changes in [{}, {"/consent/state": "refused"}, price_asked, {"/requested_level": "none"}] {
		masked_for(changes, {}) == mask
	}
}

test_conditions_are_those_of_rules_of_display if {
	masked_for({}, {"age_bands": ["minor"]}) == set()
	masked_for({"/subject/age_band": "unknown"}, {"age_bands": ["minor"]}) == mask
	masked_for({}, {"regions": ["GB"]}) == set()
	masked_for({"/subject/region": "unknown"}, {"regions": ["GB"]}) == mask
	masked_for({}, {"purposes": ["newsletter"]}) == set()
}

test_other_actions_mask_nothing if {
	masked_for({"/action": "collect"}, {}) == set()
}
