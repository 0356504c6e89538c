package governance.deployment_test

import data.governance.deployment

placement := {
	"kind": "store",
	"region": "eu-central-1",
	"region_group": "eea",
	"subject_groups": ["eea"],
	"data_categories": ["views"],
	"purposes": ["recommendations"],
	"expired_instruments": [],
}

with_changes(changes) := object.union(placement, changes)

reasons(changes) := answer.reasons if {
	answer := deployment.answer with input as with_changes(changes)
	not answer.decision
}

test_data_at_home_is_permitted_and_the_rule_is_named if {
	answer := deployment.answer with input as placement
	answer.decision
	answer.obligations == [{"type": "rests_on", "properties": {"rule": "eea-in-eea", "instrument": null}}]
}

test_without_rules_nothing_is_permitted if {
	answer := deployment.answer with input as placement with data.residency.rules as []
	answer.reasons == [{"code": "residency", "detail": "eea in eea: views"}]
}

test_a_rule_that_does_not_state_its_instrument_permits_nothing if {
	incomplete := {"id": "x", "subject": "eea", "processing": "eea", "categories": ["*"]}
	answer := deployment.answer with input as placement with data.residency.rules as [incomplete]
	not answer.decision
}

test_a_transfer_rests_on_its_instrument if {
	answer := deployment.answer with input as with_changes({"region": "us-east-1", "region_group": "us"})
	answer.decision
	answer.obligations[0].properties.instrument == "eu-us-dpf"
}

test_an_expired_instrument_is_told_apart if {
	changes := {"region": "us-east-1", "region_group": "us", "expired_instruments": ["eu-us-dpf"]}
	reasons(changes) == [{"code": "transfer_instrument_expired", "detail": "eea-in-us"}]
}

test_another_instrument_still_serves if {
	changes := {"region_group": "us", "expired_instruments": ["eu-us-dpf"], "data_categories": ["ratings"]}
	answer := deployment.answer with input as with_changes(changes)
	answer.decision
}

test_every_group_of_people_has_to_be_allowed if {
	changes := {"region_group": "us", "subject_groups": ["us", "uk"], "data_categories": ["views"]}
	reasons(changes) == [{"code": "residency", "detail": "uk in us: views"}]
}

test_categories_left_out_come_from_the_purposes if {
	changes := {"region_group": "us", "data_categories": []}
	details := {reason.detail | some reason in reasons(changes)}
	details == {"eea in us: health", "eea in us: purchases"}
}

test_nothing_said_about_data_means_all_of_it if {
	changes := {"region_group": "us", "data_categories": [], "purposes": []}
	reasons(changes) == [{"code": "residency", "detail": "eea in us: *"}]
}

test_an_unknown_region_is_refused if {
	changes := {"region": "moon-1", "region_group": ""}
	reasons(changes) == [{"code": "region_unknown", "detail": "moon-1"}]
}

test_the_register_of_processing_regions_comes_before_the_table if {
	answer := deployment.answer with input as with_changes({"region": "uk-south", "region_group": "eea"})
	answer.obligations[0].properties.rule == "eea-in-uk"
}

test_an_unstated_region_is_refused if {
	reasons({"region": "", "region_group": ""}) == [{"code": "region_unstated", "detail": ""}]
}

test_unstated_subjects_are_refused if {
	reasons({"subject_groups": []}) == [{"code": "subjects_unstated", "detail": ""}]
}

test_an_unregistered_purpose_is_refused if {
	reasons({"purposes": ["spying"]}) == [{"code": "purpose_unknown", "detail": "spying"}]
}

test_without_a_register_of_purposes_all_categories_have_to_be_allowed if {
	changes := with_changes({"data_categories": []})
	answer := deployment.answer with input as changes with data.purposes as {}
	answer.decision
}

test_a_category_no_stated_purpose_uses_is_refused if {
	reasons({"data_categories": ["views", "genome"]}) == [{"code": "category_without_purpose", "detail": "genome"}]
}

test_what_cannot_be_read_is_refused if {
	reasons({"subject_groups": "eea"}) == [{"code": "placement_unreadable", "detail": ""}]
	answer := deployment.answer with input as {}
	answer.reasons == [{"code": "placement_unreadable", "detail": ""}]
}
