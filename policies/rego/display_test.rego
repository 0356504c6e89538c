package governance.decision_test

import data.governance.decision

display_rule := {
	"item_categories": ["alcohol"],
	"age_bands": [],
	"regions": [],
	"purposes": [],
	"from": null,
	"until": null,
}

hidden_by(changes, conditions) := [obligation.properties.categories |
	rules := {"rule": object.union(display_rule, conditions)}
	answer := decision.answer with input as with_changes(changes) with data.display_rules as rules
	some obligation in answer.obligations
	obligation.type == "hide_items"
]

test_a_rule_without_conditions_hides_from_permits_and_denials if {
	hidden_by({}, {}) == [["alcohol"]]
	hidden_by({"/consent/state": "refused"}, {}) == [["alcohol"]]
	hidden_by({"/action": "collect"}, {}) == []
}

test_an_unknown_age_is_the_most_protected if {
	every band in ["minor", "child", "unknown", "17"] {
		hidden_by({"/subject/age_band": band}, {"age_bands": ["minor"]}) == [["alcohol"]]
	}
	hidden_by({"/subject/age_band": "adult"}, {"age_bands": ["minor"]}) == []
	hidden_by({"/subject/age_band": "minor"}, {"age_bands": ["child"]}) == []
	hidden_by({"/subject/age_band": "unknown"}, {"age_bands": ["child"]}) == [["alcohol"]]
}

test_a_region_is_named_by_itself_its_country_or_its_group if {
	every names in [["US-CA"], ["US"], ["us"], ["DE", "us"]] {
		hidden_by({"/subject/region": "US-CA"}, {"regions": names}) == [["alcohol"]]
	}
	hidden_by({"/subject/region": "DE"}, {"regions": ["US", "US-CA"]}) == []
	hidden_by({"/subject/region": "US"}, {"regions": ["US-CA"]}) == [["alcohol"]]
	hidden_by({"/subject/region": "unknown"}, {"regions": ["US-CA"]}) == [["alcohol"]]
}

test_a_purpose_is_named_by_itself_or_a_broader_one if {
	hidden_by({}, {"purposes": ["recommendations"]}) == [["alcohol"]]
	hidden_by({}, {"purposes": ["personalization"]}) == [["alcohol"]]
	hidden_by({}, {"purposes": ["newsletter"]}) == []
	hidden_by({"/purpose": "unheard_of"}, {"purposes": ["newsletter"]}) == [["alcohol"]]
}

test_a_rule_outside_its_days_hides_nothing if {
	hidden_by({"/idle_display_rules": ["rule"]}, {}) == []
	hidden_by({"/idle_display_rules": ["another"]}, {}) == [["alcohol"]]
	hidden_by({"/idle_display_rules": "rule"}, {}) == [["alcohol"]]
}

duties(rules) := [[obligation.type, obligation.properties] |
	answer := decision.answer with input as with_changes({}) with data.display_rules as rules
	some obligation in answer.obligations
	startswith(obligation.type, "hide_")
]

test_flags_and_promotions_are_obligations_of_their_own if {
	rule := object.union(display_rule, {"item_flags": ["tobacco"]})
	about_ads := {"rule": "r", "categories": ["alcohol"], "flags": ["tobacco"]}
	duties({"r": rule}) == [
		["hide_items", {"rule": "r", "categories": ["alcohol"]}],
		["hide_flagged", {"rule": "r", "flags": ["tobacco"]}],
	]
	duties({"r": object.union(rule, {"item_categories": []})}) == [["hide_flagged", {"rule": "r", "flags": ["tobacco"]}]]
	duties({"r": object.union(rule, {"promotions_only": true})}) == [["hide_promotions", about_ads]]
}

test_a_rule_that_shows_hides_nothing if {
	duties({"r": object.union(display_rule, {"effect": "show", "item_flags": ["tobacco"]})}) == []
	count(duties({"r": object.union(display_rule, {"effect": "hide"})})) == 1
}
