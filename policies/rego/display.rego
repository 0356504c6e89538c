# What must not be shown, whoever asks and whatever else is decided. What is not known meets every condition about it.
package governance.decision

# METADATA
# title: Hidden items
# description: >-
#   Items of these categories are in no list of the person, neither in a personal one nor in the general one that a
#   denial leaves, and are named as no reason. One entry for each rule of the register that applies. A rule outside its
#   days stands in the facts; without that member every rule is in force.
hidden contains [8, {"type": "hide_items", "properties": {"rule": slug, "categories": rule.item_categories}}] if {
	some [slug, rule] in display_rules_that_apply
	object.get(rule, "promotions_only", false) == false
	rule.item_categories != []
}

# METADATA
# title: Hidden flags
# description: The same for items that the catalogue marks with these flags, such as alcohol, or out of stock.
hidden contains [9, {"type": "hide_flagged", "properties": {"rule": slug, "flags": rule.item_flags}}] if {
	some [slug, rule] in display_rules_that_apply
	object.get(rule, "promotions_only", false) == false
	object.get(rule, "item_flags", []) != []
}

# METADATA
# title: Hidden promotions
# description: >-
#   Promoted items of these categories and flags are not shown, all of them where none is named. Directive 2010/13/EU
#   Article 9 and national law restrict advertising where the item itself may be offered.
hidden contains [10, {"type": "hide_promotions", "properties": about}] if {
	some [slug, rule] in display_rules_that_apply
	object.get(rule, "promotions_only", false) == true
	about := {"rule": slug, "categories": rule.item_categories, "flags": object.get(rule, "item_flags", [])}
}

# Rules that say "show" speak about flags and hide nothing. What is hidden where no rule speaks is the catalogue's own.
display_rules_that_apply := [[slug, rule] |
	input.action == "personalize"
	some slug, rule in data.display_rules
	not slug in idle_display_rules
	object.get(rule, "effect", "hide") != "show"
	concerns_age(rule)
	concerns_region(rule)
	concerns_purpose(rule)
]

permit_obligations contains entry if some entry in hidden

denial_obligations contains entry if some entry in hidden

default idle_display_rules := set()

idle_display_rules := {slug | some slug in input.idle_display_rules} if is_array(input.idle_display_rules)

# A child is a minor. The law's `unknown_age_is_adult` is about levels and changes nothing here.
concerns_age(rule) if {
	rule.age_bands == []
} else if {
	stated_age == "unknown"
} else if {
	stated_age in rule.age_bands
} else if {
	stated_age == "child"
	"minor" in rule.age_bands
}

default stated_age := "unknown"

stated_age := input.subject.age_band if input.subject.age_band in {"adult", "minor", "child"}

# A rule names a region, its residency group, or its country.
covers_region(rule) if {
	rule.regions == []
} else if {
	names := {stated_region, split(stated_region, "-")[0], data.residency.regions[stated_region]}
	names & {name | some name in rule.regions} != set()
}

# The same for where the person may be: a rule about a part of a country is met by all of the country whose part is not
# known.
concerns_region(rule) if {
	covers_region(rule)
} else if {
	stated_region == "unknown"
} else if {
	some name in rule.regions
	startswith(name, concat("", [stated_region, "-"]))
}

default stated_region := "unknown"

stated_region := input.subject.region if is_string(data.residency.regions[input.subject.region])

# A rule about a purpose is about all that are narrower.
covers_purpose(rule) if {
	rule.purposes == []
} else if {
	input.purpose in rule.purposes
} else if {
	some broader in purpose.parents
	broader in rule.purposes
}

concerns_purpose(rule) if {
	covers_purpose(rule)
} else if {
	not purpose_known
}
