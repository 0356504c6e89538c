# Is every fact the policy reads present and of the right type?
#
# Every other rule may rely on `readable`: facts that fail here are denied before anything else looks at them.
package governance.decision

# METADATA
# title: The fact sheet is complete
# description: A permit is possible only if every fact that any rule reads is present and well formed.
readable if {
	is_string(input.action)
	is_string(input.purpose)
	is_string(input.engine.privacy_budget)
	type_name(input.engine.segment_k) in {"number", "null"}
	{
		input.objection,
		input.restricted,
		input.held,
		input.signals.gpc,
		input.signals.gpp_opt_out,
		input.signals.tcf_present,
		input.time.quiet_hours,
	} - {true, false} == set()
	is_array(input.signals.tcf_purposes)
	is_consent(input.consent, input.ancestors)
	is_subject(input.subject)
	is_processing(input.processing)
	is_model(input.model)
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

unreadable contains "consent_missing" if not is_consent(fact(["consent"]), fact(["ancestors"]))

unreadable contains "signal_opt_out" if not is_boolean(fact(["signals", "gpc"]))

unreadable contains "signal_opt_out" if not is_boolean(fact(["signals", "gpp_opt_out"]))

unreadable contains "signal_opt_out" if not is_boolean(fact(["signals", "tcf_present"]))

unreadable contains "signal_opt_out" if not is_array(object.get(input, ["signals", "tcf_purposes"], false))

unreadable contains "model_unknown" if not is_model(fact(["model"]))

unreadable contains "quiet_hours" if not is_boolean(fact(["time", "quiet_hours"]))

unreadable contains "budget_exhausted" if not is_string(fact(["engine", "privacy_budget"]))

unreadable contains "segment_too_small" if not type_name(fact(["engine", "segment_k"])) in {"number", "null"}

# Always defined: `not f(x)` means something else in each engine when x is missing. No fact may be a bare list.
fact(path) := object.get(input, path, [])

is_consent(consent, ancestors) if {
	is_object(ancestors)
	states := {consent.state} | {state | some state in ancestors}
	states - {"given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required"} == set()
	{consent.explicit, consent.notice_current, consent.channel_allowed, consent.lifts_signal} - {true, false} == set()
	is_list_of_strings(consent.refused_categories)
	is_list_of_strings(consent.unagreed_categories)
	is_string(consent.max_level)
}

is_subject(subject) if {
	subject.known in {true, false}
	subject.age_band in {"adult", "minor", "child", "unknown"}
	is_string(subject.region)
	is_string(subject.jurisdiction)
}

is_processing(processing) if {
	is_string(processing.region)
	{type_name(processing.recipient), type_name(processing.channel)} - {"string", "null"} == set()
	is_list_of_strings(processing.data_categories)
	is_list_of_strings(processing.sensitive)
	is_list_of_strings(processing.expired_instruments)
}

# An unknown model has no purposes or level to read; `model_fit` refuses it.
is_model(model) if {
	model == null
} else if {
	model.status == "unknown"
} else if {
	model.status in {"live", "canary", "draft", "suspended", "retired"}
	is_string(model.max_level)
	is_string(model.gates)
	is_list_of_strings(model.purposes)
}

is_list_of_strings(list) if {
	list == []
} else if {
	is_array(list)
	every entry in list { is_string(entry) }
}
