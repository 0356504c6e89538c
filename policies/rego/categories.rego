# Which categories of data may be used, and which must be left out.
package governance.decision

requested_categories := {category |
	some category in input.processing.data_categories
} | {category |
	some category in input.processing.sensitive
}

excluded_categories := (withheld_categories | foreign_categories) | refused_categories

# METADATA
# title: Categories the person did not agree to
# description: >-
#   A no to one kind of data is narrower than a yes to the purpose, and so it wins. A yes covers no kind of data that
#   its notice did not name. A question that names no data is about all of the purpose's.
refused_categories := {category | some category in input.consent.refused_categories} if {
	requested_categories == set()
} else := {category |
	some category in input.consent.refused_categories
	category in requested_categories
}

# METADATA
# title: Categories the person was not asked about
# description: Among those left out; the person may be asked.
unagreed_categories := {category |
	some category in input.consent.unagreed_categories
	category in refused_categories
}

# METADATA
# title: Special categories without explicit consent
# description: GDPR Article 9(2)(a). A category is special if the register says so or the facts do.
withheld_categories := set() if {
	input.consent.explicit == true
} else := {category |
	some category in requested_categories
	category in data.sensitive_categories
} | {category |
	some category in input.processing.sensitive
}

# METADATA
# title: Categories the purpose does not name
# description: Data minimisation, GDPR Article 5(1)(c). What is withheld already is not counted again.
foreign_categories := (requested_categories - withheld_categories) - {category |
	some category in requested_categories
	category in purpose.data_categories
}

# METADATA
# title: The categories permit
# description: >-
#   Special categories may be left out of any action, foreign ones only of personalization, and something has
#   to remain.
categories_permitted(action) if {
	all_categories_usable
} else if {
	foreign_categories == set()
	something_remains
} else if {
	action == "personalize"
	something_remains
}

# The likely case, in which nothing is left out: the purpose names all of them and none is special.
all_categories_usable if {
	input.processing.sensitive == []
	input.consent.refused_categories == []
	sensitive_categories := data.sensitive_categories
	is_array(sensitive_categories)
	every category in input.processing.data_categories {
		category in purpose.data_categories
		not category in sensitive_categories
	}
}

something_remains if {
	is_array(data.sensitive_categories)
	requested_categories - excluded_categories != set()
} else if {
	is_array(data.sensitive_categories)
	requested_categories == set()
	{category | some category in purpose.data_categories} - excluded_categories != set()
}
