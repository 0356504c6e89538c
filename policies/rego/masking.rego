# What of an item must not be in an answer, after a permit and a denial alike.
package governance.decision

# METADATA
# title: Masked fields
# description: >-
#   These fields of items are in no answer about the person, GDPR Article 5(1)(c): who asks is given no more than the
#   purpose needs. One entry for each rule of the register that applies. What is not known meets every condition.
masked contains [14, {"type": "mask_fields", "properties": {"rule": slug, "fields": rule.item_fields}}] if {
	input.action in {"personalize", "price"}
	some slug, rule in data.mask_rules
	concerns_age(rule)
	concerns_region(rule)
	concerns_purpose(rule)
}

permit_obligations contains entry if some entry in masked

denial_obligations contains entry if some entry in masked
