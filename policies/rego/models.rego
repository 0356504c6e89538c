# Whether the model the caller named may be used for this purpose. No model named, nothing to check.
package governance.decision

# METADATA
# title: The model may be used
# description: Live, approved for the purpose, and through every release gate; or the caller named none.
model_fit(model) if {
	model == null
} else if {
	model.status == "live"
	model.gates == "passed"
	input.purpose in model.purposes
}
