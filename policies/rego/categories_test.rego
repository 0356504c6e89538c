package governance.decision_test

import data.governance.decision

test_special_categories_are_withheld_by_register_and_by_facts if {
	changes := {"/processing/data_categories": ["views", "health"], "/processing/sensitive": ["purchases"]}
	decision.withheld_categories == {"health", "purchases"} with input as with_changes(changes)
}

test_foreign_categories_are_counted_once if {
	changes := {"/processing/data_categories": ["views", "religion", "device"]}
	decision.foreign_categories == {"device"} with input as with_changes(changes)
}

test_without_a_list_of_special_categories_nothing_is_permitted if {
	not decision.permitted with input as facts with data.sensitive_categories as null
}

test_the_likely_case_leaves_nothing_out if {
	changes := {"/processing/data_categories": ["views", "ratings"]}
	decision.all_categories_usable with input as with_changes(changes)
	decision.excluded_categories == set() with input as with_changes(changes)
}

test_whatever_is_left_out_is_not_the_likely_case if {
	unlikely := [
		{"/processing/data_categories": ["views", "health"]},
		{"/processing/data_categories": ["views", "device"]},
		{"/processing/sensitive": ["views"]},
	]
	every changes in unlikely {
		not decision.all_categories_usable with input as with_changes(changes)
		decision.excluded_categories != set() with input as with_changes(changes)
	}
}
