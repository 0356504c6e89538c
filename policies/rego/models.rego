# Whether the model the caller named may be used for this purpose. No model named, nothing to check.
package governance.decision

# METADATA
# title: The model may be used
# description: Live, approved for the purpose, and through every release gate; or the caller named none.
default model_fit := false

model_fit if {
	is_null(input.model)
} else if {
	input.model.status == "live"
	input.model.gates == "passed"
	input.purpose in input.model.purposes
}

model_recognised if {
	is_object(input.model)
	input.model.status != "unknown"
}

model_serves_purpose if input.purpose in input.model.purposes
