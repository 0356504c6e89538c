package governance.decision_test

import data.governance.decision

review_mark := {
	"purpose": null,
	"category": null,
	"from_level": "none",
	"confidence_below": null,
	"four_eyes": false,
	"share": 100,
	"due_hours": 24,
	"serve_hours": 720,
}

reviews_of(changes, mark) := [obligation.properties.rule |
	answer := decision.answer with input as with_changes(changes) with data.human_review as {"rule": mark}
	some obligation in answer.obligations
	obligation.type == "human_review"
]

test_a_rule_without_conditions_marks_every_permit if {
	reviews_of({}, review_mark) == ["rule"]
	reviews_of({"/consent/state": "refused"}, review_mark) == []
}

test_a_rule_marks_its_purpose_alone if {
	reviews_of({}, object.union(review_mark, {"purpose": "recommendations"})) == ["rule"]
	reviews_of({}, object.union(review_mark, {"purpose": "newsletter"})) == []
}

test_a_rule_marks_data_that_is_used_and_none_that_is_left_out if {
	mark := object.union(review_mark, {"category": "views"})
	reviews_of({}, mark) == ["rule"]
	reviews_of({"/processing/data_categories": ["purchases"]}, mark) == []
	reviews_of({"/processing/data_categories": []}, mark) == ["rule"]
	reviews_of({"/consent/refused_categories": ["views"]}, mark) == []
}

test_a_rule_marks_from_its_level_on if {
	mark := object.union(review_mark, {"from_level": "contextual"})
	reviews_of({}, mark) == ["rule"]
	reviews_of({"/requested_level": "behavioral"}, mark) == []
}

test_who_is_outside_the_sample_is_not_reviewed if {
	reviews_of({"/unsampled_reviews": ["rule"]}, review_mark) == []
	reviews_of({"/unsampled_reviews": ["another"]}, review_mark) == ["rule"]
	reviews_of({"/unsampled_reviews": "rule"}, review_mark) == ["rule"]
}

test_other_actions_are_not_reviewed if {
	reviews_of({"/action": "collect"}, review_mark) == []
}
