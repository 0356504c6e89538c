# Which categories of data may be used, and which must be left out.
package governance.decision

requested_categories := {category |
	some category in array.concat(input.processing.data_categories, input.processing.sensitive)
}

excluded_categories := {category |
	some category in requested_categories
	not usable(category)
}

usable(category) if {
	category in purpose.data_categories
	not withheld(category)
}

# METADATA
# title: Special categories without explicit consent
# description: GDPR Article 9(2)(a). A category is special if the register says so or the facts do.
withheld(category) if {
	input.consent.explicit == false
	category in array.concat(data.sensitive_categories, input.processing.sensitive)
}

withheld_categories := {category |
	some category in excluded_categories
	withheld(category)
}

# METADATA
# title: Categories the purpose does not name
# description: Data minimisation, GDPR Article 5(1)(c). What is withheld already is not counted again.
foreign_categories := excluded_categories - withheld_categories

# METADATA
# title: The categories permit
# description: >-
#   Special categories may be left out of any action, foreign ones only of personalization, and something has
#   to remain.
default categories_permitted := false

categories_permitted if {
	count(excluded_categories) == 0
	is_array(data.sensitive_categories)
} else if {
	count(foreign_categories) == 0
	something_remains
} else if {
	input.action == "personalize"
	something_remains
}

something_remains if {
	is_array(data.sensitive_categories)
	count(requested_categories - excluded_categories) > 0
}
