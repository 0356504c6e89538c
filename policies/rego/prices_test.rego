# The test pack of personal prices: whoever edits the policy keeps these, or says why not.
package governance.decision_test

import data.governance.decision

price_asked := {
	"/action": "price",
	"/purpose": "personal_pricing",
	"/model": null,
	"/processing/data_categories": ["purchases"],
}

priced_at(changes, rules) := answer if {
	asked := with_changes(object.union(price_asked, changes))
	answer := decision.answer with input as asked with data.price_rules as rules
}

bounds(answer) := {[duty.properties.most_below, duty.properties.most_above] |
	some duty in answer.obligations
	duty.type == "price_bounds"
}

price_rule := {"regions": [], "purposes": [], "most_below": 20, "most_above": 5}

test_a_personal_price_needs_consent_whatever_the_rules if {
	every state in ["refused", "withdrawn", "never_asked", "expired", "objected"] {
		answer := priced_at({"/consent/state": state, "/ancestors": {}}, {"all": price_rule})
		answer.decision == false
		answer.obligations == []
	}
}

test_a_minor_never_has_a_personal_price if {
	every band in ["minor", "child", "unknown"] {
		priced_at({"/subject/age_band": band}, {"all": price_rule}).decision == false
	}
}

test_without_a_rule_the_list_price_is_the_only_one if {
	bounds(priced_at({}, {})) == {[0, 0]}
	bounds(priced_at({}, {"elsewhere": object.union(price_rule, {"regions": ["GB"]})})) == {[0, 0]}
	bounds(priced_at({}, {"other": object.union(price_rule, {"purposes": ["newsletter"]})})) == {[0, 0]}
}

test_all_rules_about_a_person_bind if {
	never_above := object.union(price_rule, {"regions": ["DE"], "most_above": 0, "most_below": 100})
	bounds(priced_at({}, {"all": price_rule, "de": never_above})) == {[20, 5], [100, 0]}
	bounds(priced_at({}, {"all": price_rule})) == {[20, 5]}
}

test_a_cap_of_a_part_binds_where_the_part_is_unknown_and_permits_nothing_there if {
	part := object.union(price_rule, {"regions": ["US-CA"]})
	at := {"/subject/region": "US", "/subject/jurisdiction": "us-other", "/processing/region": "us-east"}
	[0, 0] in bounds(priced_at(at, {"ca": part}))
}

test_a_personal_price_is_always_disclosed if {
	every rules in [{}, {"all": price_rule}] {
		some duty in priced_at({}, rules).obligations
		duty.type == "disclose_personal_price"
	}
}

test_other_actions_have_no_bounds if {
	answer := decision.answer with input as with_changes({}) with data.price_rules as {"all": price_rule}
	bounds(answer) == set()
}
