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
