package governance.decision_test

import data.governance.decision

capped(changes, cap) := found if {
	asked := with_changes(object.union({"/processing/data_categories": ["views", "showings"]}, changes))
	caps := {"cap": object.union({"purposes": [], "most": 2, "days": 7}, cap)}
	purposes := json.patch(data.purposes, [{
		"op": "add",
		"path": "/recommendations/data_categories",
		"value": ["views", "showings"],
	}])
	answer := decision.answer with input as asked with data.frequency_caps as caps with data.purposes as purposes
	found := {obligation.type: obligation.properties |
		some obligation in answer.obligations
		obligation.type in {"cap_showings", "hide_promotions"}
	}
}

test_a_cap_counts_where_it_is_permitted if {
	capped({}, {"about": "promotions"}) == {"cap_showings": {
		"rule": "cap",
		"about": "promotions",
		"most": 2,
		"days": 7,
	}}
	capped({}, {"about": "items"}).cap_showings.about == "items"
	capped({}, {"about": "items", "purposes": ["newsletter"]}) == {}
}

test_promotions_are_hidden_where_counting_is_not_permitted if {
	every changes in [
		{"/consent/state": "refused"},
		{"/requested_level": "none"},
		{"/processing/data_categories": ["views"]},
		{"/consent/refused_categories": ["showings"]},
	] {
		object.keys(capped(changes, {"about": "promotions"})) == {"hide_promotions"}
		capped(changes, {"about": "items"}) == {}
	}
}

test_other_actions_have_no_cap if {
	capped({"/action": "collect"}, {"about": "promotions"}) == {}
}
