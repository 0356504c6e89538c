package governance.decision_test

import data.governance.decision

test_everything_in_order_is_permitted if {
	answer := decision.answer with input as facts
	answer.decision == true
	answer.level == "individual"
	answer.reasons == []
	answer.legal_basis == "consent"
	answer.revision == data.revision
}

test_no_facts_at_all_are_denied_with_reasons if {
	answer := decision.answer with input as {}
	answer.decision == false
	answer.level == null
	count(answer.reasons) == 13
	answer.obligations == []
}

# METADATA
# description: The embedded engine answers this with an error, which is a denial too.
# custom: {engine: opa}
test_input_that_is_no_object_is_denied if {
	answer := decision.answer with input as []
	answer.decision == false
}

test_missing_consent_can_be_requested if {
	changes := {"/consent/state": "never_asked", "/ancestors": {}}
	answer := decision.answer with input as with_changes(changes)
	answer.requestable == true
	codes(answer) == ["consent_missing"]
	types(answer) == ["non_profiled"]
}

test_a_refusal_cannot_be_requested_away if {
	answer := decision.answer with input as with_changes({"/consent/state": "refused"})
	answer.requestable == false
	answer.level == "none"
}

test_a_bundle_without_data_denies if {
	answer := decision.answer with input as facts
		with data.purposes as {}
		with data.levels as {}
		with data.residency as {}
		with data.jurisdictions as {}
		with data.sensitive_categories as null
	answer.decision == false
}

test_an_action_only_the_register_knows_is_denied if {
	answer := decision.answer with input as with_changes({"/action": "dance"})
		with data.purposes.recommendations.actions as ["dance"]
	answer.decision == false
	codes(answer) == ["action_not_allowed"]
}
