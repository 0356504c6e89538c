package governance.decision_test

import data.governance.decision

share := {"/action": "share", "/purpose": "partner_advertising", "/model": null, "/processing/recipient": "ad-partner"}

contact := {
	"/action": "contact",
	"/purpose": "newsletter",
	"/model": null,
	"/processing/data_categories": ["email_address"],
}

release := {
	"/action": "release",
	"/purpose": "usage_statistics",
	"/model": null,
	"/processing/data_categories": ["views"],
	"/consent/state": "not_required",
}

test_each_action_has_a_permit if {
	permitted := [
		share,
		contact,
		release,
		{"/action": "train"},
		{"/action": "collect"},
		{"/action": "transfer"},
	]
	every changes in permitted {
		decision.permitted with input as with_changes(changes)
	}
}

test_each_action_has_its_own_denial if {
	denied := {
		"recipient_not_allowed": object.union(share, {"/processing/recipient": "data-broker"}),
		"signal_opt_out": object.union(share, {"/signals/gpc": true, "/signals/gpp_opt_out": true}),
		"quiet_hours": object.union(contact, {"/time/quiet_hours": true}),
		"action_not_allowed": object.union(contact, {"/processing/channel": "phone"}),
		"budget_exhausted": object.union(release, {"/engine/privacy_budget": "exhausted"}),
		"minor": {"/action": "train", "/subject/age_band": "child"},
	}
	every code, changes in denied {
		answer := decision.answer with input as with_changes(changes)
		answer.decision == false
		code in codes(answer)
		count({found | some found in codes(answer)}) == 1
	}
}

test_an_unknown_purpose_is_denied_for_that_alone if {
	answer := decision.answer with input as with_changes({"/purpose": "world_domination", "/model": null})
	codes(answer) == ["purpose_unknown"]
	answer.legal_basis == null
}

test_what_is_collected_is_deleted if {
	answer := decision.answer with input as with_changes({"/action": "collect"})
	answer.obligations == [{"type": "delete_after", "properties": {"days": 365}}]
}
