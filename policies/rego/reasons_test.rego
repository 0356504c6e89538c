package governance.decision_test

import data.governance.decision

test_reasons_come_in_the_order_of_precedence if {
	changes := {
		"/held": true,
		"/restricted": true,
		"/objection": true,
		"/subject/known": false,
		"/subject/jurisdiction": "nowhere",
		"/consent/state": "withdrawn",
		"/consent/channel_allowed": false,
		"/model": {"status": "draft", "max_level": "segment", "gates": "failed", "purposes": []},
		"/processing/data_categories": ["health", "device"],
		"/processing/region": "moon-1",
	}
	answer := decision.answer with input as with_changes(changes)
	codes(answer) == [
		"subject_unknown",
		"region_unknown",
		"sensitive_without_explicit_consent",
		"residency",
		"legal_hold",
		"restricted",
		"objection",
		"consent_withdrawn",
		"consent_refused",
		"model_not_live",
		"model_purpose",
		"gate_failed",
		"category_not_allowed",
		"level_capped_by_model",
	]
}

test_a_permit_names_only_what_narrowed_it if {
	changes := {"/signals/gpc": true, "/processing/data_categories": ["views", "health"]}
	answer := decision.answer with input as with_changes(changes)
	answer.decision == true
	codes(answer) == ["sensitive_without_explicit_consent", "level_capped_by_signal"]
	types(answer) == ["max_level", "exclude_categories"]
}

test_an_unknown_model_is_one_reason if {
	answer := decision.answer with input as with_changes({"/model": {"status": "unknown"}})
	codes(answer) == ["model_unknown"]
}

test_what_a_yes_does_not_cover_is_named_and_what_is_no_text_is_not if {
	decision.new_parts == {"ads", "sms"} with input as with_changes({"/consent/unagreed": ["sms", "ads", 7, null]})
	decision.new_parts == set() with input as with_changes({"/consent/unagreed": []})
	changes := {"/consent/state": "renewal_required", "/consent/unagreed": ["sms", "ads"]}
	answer := decision.answer with input as with_changes(changes)
	{"code": "renewal_required", "detail": "ads, sms"} in answer.reasons
}
