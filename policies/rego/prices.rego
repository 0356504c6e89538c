# How far a personal price may differ from the list price. Without a rule it may not.
package governance.decision

# METADATA
# title: Bounds of a personal price
# description: >-
#   A price may be made for a person only within these percentages of the list price, the narrowest of all that are
#   named, and only disclosed as such, Directive 2011/83/EU Article 6(1)(ea). One entry for each rule of the register
#   about where the person is; where none permits anything there, the list price is the only one.
permit_obligations contains [11, {"type": "price_bounds", "properties": {
	"rule": slug,
	"most_below": rule.most_below,
	"most_above": rule.most_above,
}}] if {
	input.action == "price"
	some slug, rule in data.price_rules
	concerns_region(rule)
	concerns_purpose(rule)
}

permit_obligations contains [11, {"type": "price_bounds", "properties": {
	"rule": null,
	"most_below": 0,
	"most_above": 0,
}}] if {
	input.action == "price"
	not personal_price_permitted
}

permit_obligations contains [12, {"type": "disclose_personal_price", "properties": {}}] if {
	input.action == "price"
}

# A rule permits where the person certainly is, and for a purpose that it names.
default personal_price_permitted := false

personal_price_permitted if {
	some rule in data.price_rules
	covers_region(rule)
	covers_purpose(rule)
}
