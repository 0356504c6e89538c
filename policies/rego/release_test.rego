package governance.release_test

import data.governance.release

limits := {
	"k_at_least": 10, "l_at_least": 2, "t_at_most": 300, "epsilon_at_most": 1000, "days_at_most": 365,
	"inferred_at_most": 200, "singled_out_at_most": 1000,
	"overlap": "refuse", "overlap_at_least": 2, "smallest_group": 20,
	"person_key": "refuse",
}

asked := {
	"kind": "table",
	"k": 10,
	"l": 2,
	"t": 300,
	"epsilon": null,
	"has_sensitive": true,
	"purpose": "partner_advertising",
	"receivers": ["ad-partner"],
	"people": "eea",
	"region": "eu-central-1",
	"days": 365,
	"smallest_overlap": null,
	"person_key": false,
	"inferred": 0,
	"singled_out": 0,
	"expired_instruments": [],
}

regions := {"eu-central-1": "eea", "us-east-1": "us"}

judged(changes, known) := answer if {
	answer := release.answer with input as object.union(asked, changes)
		with data.disclosure as object.union(limits, known)
		with data.residency.processing as regions
}

codes(changes) := [reason.code | some reason in judged(changes, {}).reasons]

test_a_release_within_every_limit_may_leave if {
	answer := judged({}, {})
	answer.decision
	answer.obligations == []
}

test_each_limit_refuses_by_its_own_code if {
	codes({"k": 9}) == ["k_too_small"]
	codes({"l": 1}) == ["l_too_small"]
	codes({"t": 301}) == ["t_too_large"]
	codes({"days": 366}) == ["days_too_many"]
	codes({"days": 0}) == ["days_too_many"]
}

test_what_a_limit_asks_for_stands_in_the_detail if {
	judged({"k": 9}, {}).reasons == [{"code": "k_too_small", "detail": "9 of 10"}]
}

test_without_a_sensitive_column_only_k_counts if {
	judged({"l": 1, "t": 1000, "has_sensitive": false}, {}).decision
}

test_noise_is_judged_by_its_epsilon if {
	judged({"kind": "noisy", "k": 1, "epsilon": 1000}, {}).decision
	codes({"kind": "noisy", "epsilon": 1001}) == ["epsilon_too_large"]
	codes({"kind": "noisy", "epsilon": 0}) == ["protection_unknown"]
	codes({"kind": "noisy"}) == ["protection_unknown"]
	codes({"kind": "raw"}) == ["protection_unknown"]
}

test_only_receivers_of_the_purpose_may_have_it if {
	codes({"receivers": ["ad-partner", "broker"]}) == ["recipient_not_allowed"]
	codes({"receivers": []}) == ["recipient_not_allowed"]
	"purpose_unknown" in codes({"purpose": "spying"})
}

test_the_place_obeys_the_residency_rules if {
	codes({"region": "moon-1"}) == ["region_unknown"]
	codes({"people": "mars"}) == ["residency"]
}

test_a_transfer_ends_with_its_instrument if {
	changes := {"region": "us-east-1", "purpose": "partner_advertising"}
	rules := [{"id": "x", "subject": "eea", "processing": "us", "categories": ["*"], "instrument": "dpf"}]
	answer := release.answer with input as object.union(asked, changes)
		with data.disclosure as limits
		with data.residency.processing as regions
		with data.residency.rules as rules
	answer.decision
	ended := release.answer with input as object.union(asked, object.union(changes, {"expired_instruments": ["dpf"]}))
		with data.disclosure as limits
		with data.residency.processing as regions
		with data.residency.rules as rules
	ended.reasons == [{"code": "residency", "detail": "eea to us"}]
}

test_a_rule_covers_the_categories_it_names if {
	narrow := [{"id": "x", "subject": "eea", "processing": "eea", "categories": ["views"], "instrument": null}]
	answer := release.answer with input as asked
		with data.disclosure as limits
		with data.residency.processing as regions
		with data.residency.rules as narrow
	answer.reasons == [{"code": "residency", "detail": "eea to eea"}]
}

test_a_purpose_without_categories_needs_a_rule_for_all if {
	purposes := {"open": {"recipients": ["ad-partner"], "data_categories": []}}
	answer := release.answer with input as object.union(asked, {"purpose": "open"})
		with data.disclosure as limits
		with data.residency.processing as regions
		with data.purposes as purposes
	answer.decision
}

test_an_overlap_refuses_or_warns_as_the_limits_say if {
	judged({"smallest_overlap": 2}, {}).decision
	codes({"smallest_overlap": 1}) == ["overlap"]
	warned := judged({"smallest_overlap": 1}, {"overlap": "warn"})
	warned.decision
	warned.obligations == [{"type": "look_at", "properties": {"code": "overlap", "detail": "1"}}]
}

test_attacks_are_limited_and_warned_of_where_none_was_measured if {
	codes({"inferred": 201}) == ["inferred_too_often"]
	codes({"inferred": "0"}) == ["inferred_too_often"]
	judged({"inferred": 200, "singled_out": 1000}, {}).decision
	judged({"singled_out": 501}, {"singled_out_at_most": 500}).reasons == [{"code": "singled_out_too_often", "detail": "501 of 500"}]
	unmeasured := judged({"inferred": null, "singled_out": null}, {})
	unmeasured.decision
	unmeasured.obligations == [{"type": "look_at", "properties": {"code": "attack_unmeasured", "detail": ""}}]
	judged({"inferred": null, "has_sensitive": false, "l": 1}, {}).obligations == []
}

test_what_cannot_be_read_is_refused if {
	codes({"k": "10"}) == ["release_unreadable"]
	answer := release.answer with input as {}
	answer.reasons == [{"code": "release_unreadable", "detail": ""}]
	unlimited := release.answer with input as asked with data.disclosure as {}
	unlimited.reasons == [{"code": "release_unreadable", "detail": ""}]
}

test_pseudonyms_of_people_refuse_unless_the_limits_only_warn if {
	codes({"person_key": true}) == ["person_key"]
	answer := judged({"person_key": true}, {"person_key": "warn"})
	answer.decision
	answer.obligations == [{"type": "look_at", "properties": {"code": "person_key", "detail": ""}}]
	"release_unreadable" in codes({"person_key": null})
}
