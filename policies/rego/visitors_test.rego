package governance.decision_test

import data.governance.decision

visit := {
	"/visitor": true,
	"/purpose": "visit_recommendations",
	"/requested_level": "contextual",
	"/subject/known": false,
	"/consent/state": "not_required",
	"/ancestors": {},
	"/processing/data_categories": ["views"],
	"/model/purposes": ["visit_recommendations", "fraud_prevention"],
}

of_visitor(changes) := answer if {
	answer := decision.answer with input as with_changes(object.union(visit, changes))
}

test_a_visitor_is_served_where_the_purpose_was_opened if {
	answer := of_visitor({})
	answer.decision == true
	answer.level == "contextual"
	of_visitor({"/requested_level": "individual"}).level == "contextual"
}

test_only_true_makes_a_visitor if {
	every value in [false, null, 1, "true", [], {"a": 1}] {
		answer := of_visitor({"/visitor": value})
		answer.decision == false
		codes(answer) == ["subject_unknown"]
	}
}

test_without_a_rule_of_ranking_no_visitor_is_served if {
	every ranking in [{}, {"visit_recommendations": {}}, {"visit_recommendations": {"serves_visitors": "yes"}}] {
		answer := of_visitor({}) with data.ranking as ranking
		answer.decision == false
		codes(answer) == ["action_not_allowed"]
	}
}

test_nothing_but_personalization_is_open_to_visitors if {
	every action in ["collect", "train", "transfer"] {
		answer := of_visitor({"/action": action, "/purpose": "fraud_prevention"})
		answer.decision == false
		"action_not_allowed" in codes(answer)
	}
}

test_where_consent_is_the_basis_no_visitor_is_served if {
	every state in ["never_asked", "not_required", "given"] {
		answer := of_visitor({"/purpose": "recommendations", "/consent/state": state})
		answer.decision == false
		answer.requestable == false
	}
}

test_a_person_of_the_register_needs_no_visit if {
	decision.answer.decision == true with input as with_changes({"/visitor": true})
	decision.answer.level == "contextual" with input as with_changes({"/visitor": true})
}
