package governance.decision_test

import data.governance.decision

test_the_lowest_ceiling_holds if {
	changes := {"/signals/gpc": true, "/signals/gpp_opt_out": true, "/model/max_level": "segment"}
	decision.permitted_level == "segment" with input as with_changes(changes)
}

test_a_minor_has_the_ceiling_of_the_jurisdiction if {
	answer := decision.answer with input as with_changes({"/subject/age_band": "minor"})
		with data.jurisdictions.gdpr.minor_max_level as "segment"
	answer.level == "segment"
	codes(answer) == ["minor"]
}

test_a_jurisdiction_without_a_ceiling_for_minors_means_none if {
	decision.lowest_rank == 0 with input as with_changes({"/subject/age_band": "minor"})
		with data.jurisdictions.gdpr as {}
}

test_an_unknown_age_is_an_adult_only_where_the_law_says_so if {
	not decision.adult with input as with_changes({"/subject/age_band": "unknown"})
	decision.adult with input as with_changes({"/subject/age_band": "unknown"})
		with data.jurisdictions.gdpr.unknown_age_is_adult as true
}

test_a_purpose_without_a_ceiling_means_none if {
	decision.lowest_rank == 0 with input as facts with data.purposes.recommendations as {}
}

test_a_small_segment_is_none if {
	answer := decision.answer with input as with_changes({"/requested_level": "segment", "/engine/segment_k": 19})
	answer.level == "none"
	codes(answer) == ["segment_too_small"]
}

test_a_level_that_is_no_word_is_none if {
	decision.requested_rank == 0 with input as with_changes({"/requested_level": []})
}

test_a_tcf_string_needs_both_purposes_of_profiling if {
	changes := {"/signals/tcf_present": true, "/signals/tcf_purposes": [1, 5, 6]}
	decision.tcf_grants_profiles with input as with_changes(changes)
	not decision.tcf_grants_profiles with input as with_changes({"/signals/tcf_purposes": [1, 5]})
}

test_a_lower_level_of_the_person_says_whose_it_is if {
	answers := {code | some unagreed in [[], ["level"]]
		answer := decision.answer with input as with_changes({
			"/consent/max_level": "segment",
			"/consent/unagreed": unagreed,
		})
		answer.level == "segment"
		code := codes(answer)[0]
	}
	answers == {"level_capped_by_choice", "renewal_required"}
}
