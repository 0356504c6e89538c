# How often the same item may be shown to a person. Showings are counted only where counting is permitted.
package governance.decision

# METADATA
# title: Frequency caps
# description: >-
#   The same item, or promotion, is shown to the person at most so often in so many days. It takes counting what they
#   were shown, which the purpose has to name and the person to permit, GDPR Article 5(1)(b) and (c).
permit_obligations contains [13, {"type": "cap_showings", "properties": {
	"rule": slug,
	"about": cap.about,
	"most": cap.most,
	"days": cap.days,
}}] if {
	input.action == "personalize"
	some slug, cap in data.frequency_caps
	concerns_purpose(cap)
	counting_permitted
}

# METADATA
# title: Promotions without counting
# description: Where showings may not be counted, a cap on promotions holds by showing none.
hidden contains [10, {"type": "hide_promotions", "properties": {"rule": slug, "categories": [], "flags": []}}] if {
	input.action == "personalize"
	some slug, cap in data.frequency_caps
	cap.about == "promotions"
	concerns_purpose(cap)
	not counting_permitted
}

default counting_permitted := false

counting_permitted if {
	permitted
	permitted_level != "none"
	"showings" in requested_categories
	not "showings" in excluded_categories
}
