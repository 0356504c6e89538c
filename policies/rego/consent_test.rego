package governance.decision_test

import data.governance.decision

test_own_choice_beats_the_broader_one if {
	decision.choice == "given" with input as with_changes({"/ancestors": {"personalization": "refused"}})
}

test_the_strictest_broader_choice_stands_in if {
	expected := {
		"withdrawn": {"a": "withdrawn", "b": "refused", "c": "given"},
		"refused": {"a": "refused", "b": "expired"},
		"expired": {"a": "expired", "b": "renewal_required"},
		"renewal_required": {"a": "renewal_required", "b": "given"},
		"given": {"a": "given", "b": "never_asked"},
		"never_asked": {"a": "never_asked"},
	}
	every choice, broader in expected {
		changes := {"/consent/state": "never_asked", "/ancestors": broader}
		decision.choice == choice with input as with_changes(changes)
	}
}

test_an_outdated_notice_asks_for_renewal if {
	decision.choice == "renewal_required" with input as with_changes({"/consent/notice_current": false})
}

test_a_misspelled_legal_basis_needs_consent if {
	decision.needs_consent with input as facts with data.purposes.recommendations.legal_basis as "contrakt"
}

test_a_closed_channel_is_never_in_force if {
	changes := {"/purpose": "order_fulfilment", "/action": "collect", "/consent/channel_allowed": false}
	not decision.consent_in_force with input as with_changes(changes)
}

unasked := {
	"/consent/state": "never_asked",
	"/ancestors": {},
	"/subject/region": "US-CO",
	"/subject/jurisdiction": "us-co",
	"/processing/region": "us-east",
}

test_an_adult_under_an_opt_out_law_may_be_served_unasked if {
	answer := decision.answer with input as with_changes(unasked)
	answer.level == "behavioral"
	codes(answer) == ["level_capped_by_jurisdiction"]
}

test_each_of_these_alone_is_not_served_unasked if {
	changes := [
		{"/subject/age_band": "unknown"},
		{"/subject/known": false},
		{"/objection": true},
		{"/signals/gpc": true},
		{"/signals/gpp_opt_out": true},
		{"/processing/sensitive": ["views"]},
		{"/processing/data_categories": ["views", "health"]},
		{"/consent/state": "refused"},
		{"/consent/state": "not_required"},
		{"/ancestors": {"personalization": "withdrawn"}},
		{"/action": "collect"},
		{"/subject/jurisdiction": "us-ca"},
		{"/subject/jurisdiction": "gdpr"},
		{"/subject/jurisdiction": "uk-gdpr"},
	]
	every change in changes {
		not decision.served_unasked with input as with_changes(object.union(unasked, change))
	}
}

test_an_unknown_level_serves_no_subject_unasked if {
	not decision.served_unasked with input as with_changes(unasked)
		with data.jurisdictions["us-co"].unasked_max_level as "telepathic"
}

test_no_special_categories_list_serves_no_subject_unasked if {
	not decision.served_unasked with input as with_changes(unasked) with data.sensitive_categories as null
}
