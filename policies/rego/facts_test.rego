package governance.decision_test

import data.governance.decision

test_a_full_fact_sheet_is_readable if decision.readable with input as facts

test_no_fact_may_be_missing if {
	every fact in object.keys(facts) - {"requested_level"} {
		remaining := object.remove(facts, [fact])
		decision.readable == false with input as remaining
	}
}

test_what_is_unreadable_is_named if {
	decision.unreadable == {"legal_hold", "quiet_hours", "segment_too_small"} with input as with_changes({
		"/held": "no",
		"/time": 3,
		"/engine/segment_k": "many",
	})
}

test_an_unknown_model_needs_nothing_else if {
	decision.readable with input as with_changes({"/model": {"status": "unknown"}})
}
