# Is every fact the policy reads present and of the right type?
#
# Every other rule may rely on `readable`: facts that fail here are denied before anything else looks at them.
package governance.decision

# METADATA
# title: The fact sheet is complete
# description: A permit is possible only if every fact that any rule reads is present and well formed.
default readable := false

readable if {
	is_string(input.action)
	is_string(input.purpose)
	is_consent(input.consent)
	are_choices(input.ancestors)
	is_boolean(input.objection)
	is_boolean(input.restricted)
	is_boolean(input.held)
	is_subject(input.subject)
	is_boolean(input.signals.gpc)
	is_boolean(input.signals.gpp_opt_out)
	is_processing(input.processing)
	is_model(input.model)
	is_string(input.engine.privacy_budget)
	type_name(input.engine.segment_k) in {"number", "null"}
	is_boolean(input.time.quiet_hours)
}

# METADATA
# title: What could not be read
# description: The codes of the topics a missing or malformed fact belongs to; each is read the strictest way.
unreadable contains "purpose_unknown" if not is_string(fact(["purpose"]))

unreadable contains "action_not_allowed" if not is_string(fact(["action"]))

unreadable contains "subject_unknown" if not is_subject(fact(["subject"]))

unreadable contains "residency" if not is_processing(fact(["processing"]))

unreadable contains "legal_hold" if not is_boolean(fact(["held"]))

unreadable contains "restricted" if not is_boolean(fact(["restricted"]))

unreadable contains "objection" if not is_boolean(fact(["objection"]))

unreadable contains "consent_missing" if not is_consent(fact(["consent"]))

unreadable contains "consent_missing" if not are_choices(fact(["ancestors"]))

unreadable contains "signal_opt_out" if not is_boolean(fact(["signals", "gpc"]))

unreadable contains "signal_opt_out" if not is_boolean(fact(["signals", "gpp_opt_out"]))

unreadable contains "model_unknown" if not is_model(fact(["model"]))

unreadable contains "quiet_hours" if not is_boolean(fact(["time", "quiet_hours"]))

unreadable contains "budget_exhausted" if not is_string(fact(["engine", "privacy_budget"]))

unreadable contains "segment_too_small" if not type_name(fact(["engine", "segment_k"])) in {"number", "null"}

# Always defined: `not f(x)` means something else in each engine when x is missing. No fact may be a bare list.
fact(path) := object.get(input, path, [])

is_consent(consent) if {
	is_choice(consent.state)
	is_boolean(consent.explicit)
	is_boolean(consent.notice_current)
	is_boolean(consent.channel_allowed)
}

are_choices(states) if {
	is_object(states)
	every state in states { is_choice(state) }
}

is_choice(state) if {
	state in {"given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required"}
}

is_subject(subject) if {
	is_boolean(subject.known)
	subject.age_band in {"adult", "minor", "child", "unknown"}
	is_string(subject.region)
	is_string(subject.jurisdiction)
}

is_processing(processing) if {
	is_string(processing.region)
	type_name(processing.recipient) in {"string", "null"}
	type_name(processing.channel) in {"string", "null"}
	is_list_of_strings(processing.data_categories)
	is_list_of_strings(processing.sensitive)
	is_list_of_strings(processing.expired_instruments)
}

# A model nobody knows has no purposes or level to read; `model_fit` refuses it.
is_model(model) if {
	is_null(model)
} else if {
	model.status == "unknown"
} else if {
	model.status in {"live", "draft", "suspended", "retired"}
	is_string(model.max_level)
	is_string(model.gates)
	is_list_of_strings(model.purposes)
}

is_list_of_strings(list) if {
	is_array(list)
	every entry in list { is_string(entry) }
}
