package governance.decision_test

import data.governance.decision

test_a_full_fact_sheet_is_readable if decision.readable with input as facts

test_no_fact_may_be_missing if {
	every fact in object.keys(facts) - {"requested_level"} {
		remaining := object.remove(facts, [fact])
		not decision.readable with input as remaining
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

paths := [
	"/action", "/purpose", "/consent", "/consent/state", "/consent/explicit", "/consent/notice_current",
	"/consent/channel_allowed", "/consent/lifts_signal", "/consent/refused_categories", "/consent/unagreed_categories", "/consent/max_level", "/ancestors", "/ancestors/personalization", "/objection", "/restricted", "/held",
	"/subject", "/subject/region", "/subject/jurisdiction", "/subject/age_band", "/subject/known", "/signals",
	"/signals/gpc", "/signals/gpp_opt_out", "/signals/tcf_present", "/processing", "/processing/region", "/processing/recipient",
	"/processing/channel", "/processing/data_categories", "/processing/sensitive",
	"/processing/expired_instruments", "/processing/sensitive/0", "/model", "/model/status", "/model/max_level",
	"/model/gates", "/model/purposes", "/engine", "/engine/segment_k", "/engine/privacy_budget", "/time",
	"/time/quiet_hours",
]

# Split by the values put in the place of a fact: OPA ends a test after five seconds.
test_readable_means_no_object_is_unreadable if agree_with([{"a": "b"}, {"a": 1}])

test_readable_means_no_list_is_unreadable if agree_with([[1], ["given"]])

test_readable_means_no_scalar_is_unreadable if agree_with([1, "given"])

test_readable_means_no_flag_is_unreadable if agree_with([true, null])

agree_with(values) if {
	every path in paths {
		every value in values {
			readings_agree(with_changes({path: value}))
		}
	}
}

readings_agree(sheet) if {
	decision.readable with input as sheet
	decision.unreadable == set() with input as sheet
}

readings_agree(sheet) if {
	not decision.readable with input as sheet
	decision.unreadable != set() with input as sheet
}
