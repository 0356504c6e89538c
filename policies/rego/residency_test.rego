package governance.decision_test

import data.governance.decision

test_without_rules_nothing_is_allowed if {
	not decision.residency_allowed with input as facts with data.residency.rules as []
}

test_a_rule_that_does_not_state_its_instrument_is_not_in_force if {
	incomplete := {"id": "x", "subject": "eea", "processing": "eea", "categories": ["*"]}
	not decision.residency_allowed with input as facts with data.residency.rules as [incomplete]
}

test_alternatives_are_where_every_category_may_go if {
	answer := decision.answer with input as with_changes({"/processing/region": "us-east"})
	answer.obligations[0].properties.regions == ["eu-central", "eu-west", "uk-south"]
	codes(answer) == ["residency"]
}

test_an_expired_instrument_is_told_apart if {
	changes := {
		"/processing/region": "us-east",
		"/processing/data_categories": ["views"],
		"/processing/expired_instruments": ["eu-us-dpf"],
	}
	answer := decision.answer with input as with_changes(changes)
	answer.reasons == [{"code": "transfer_instrument_expired", "detail": "eea-in-us"}]
}

test_transfers_are_logged if {
	changes := {"/processing/region": "us-east", "/processing/data_categories": ["views"]}
	answer := decision.answer with input as with_changes(changes)
	types(answer) == ["max_level", "log_transfer"]
}

test_an_unknown_region_denies if {
	answer := decision.answer with input as with_changes({"/subject/region": "XX"})
	codes(answer) == ["region_unknown"]
}
