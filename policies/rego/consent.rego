# The subject's own choice, and the broader one that stands in where there is none.
package governance.decision

# METADATA
# title: The choice in force
# description: >-
#   The subject's own answer to this purpose. Where there is none, the answers to the broader purposes: a no
#   before a lapsed yes, a lapsed yes before a yes. A yes to an outdated notice asks for renewal. Where consent is
#   not the basis a lapsed yes is no answer, so that a broader no comes through.
choice := "renewal_required" if {
	input.consent.state == "given"
	input.consent.notice_current == false
} else := input.consent.state if {
	input.consent.state in {"given", "refused", "withdrawn"}
} else := input.consent.state if {
	input.consent.state in {"expired", "renewal_required"}
	needs_consent
} else := "withdrawn" if {
	"withdrawn" in broader_choices
} else := "refused" if {
	"refused" in broader_choices
} else := "not_required" if {
	input.consent.state == "not_required"
} else := "expired" if {
	"expired" in broader_choices
} else := "renewal_required" if {
	"renewal_required" in broader_choices
} else := "given" if {
	"given" in broader_choices
} else := "never_asked"

broader_choices := {state | some state in input.ancestors}

# METADATA
# title: Consent permits
# description: >-
#   GDPR Articles 6(1)(a) and 7. Under another legal basis no yes is needed, but a stored no still counts, and
#   so does a channel the subject has closed.
consent_suffices(state) if {
	state == "given"
} else if {
	state in {"expired", "renewal_required", "never_asked", "not_required"}
	needs_consent == false
} else if {
	state == "never_asked"
	served_unasked
}

# METADATA
# title: Served without having been asked
# description: >-
#   Never, unless the law leaves the first word to the business (opt-out) and officers raised the level for people
#   who were not asked. Then only personalization, only of a known adult without an opt-out signal, and only without
#   special categories. Any answer the person ever gave, to a broader purpose too, counts instead.
default served_unasked := false

served_unasked if {
	input.consent.state == "never_asked"
	input.action == "personalize"
	jurisdiction.consent_default == "opt_out"
	rank(jurisdiction.unasked_max_level) > 0
	input.subject.age_band == "adult"
	input.subject.known == true
	input.objection == false
	input.signals.gpc == false
	input.signals.gpp_opt_out == false
	legal_basis == "consent"
	choice == "never_asked"
	no_special_category
}

no_special_category if {
	input.processing.sensitive == []
	sensitive_categories := data.sensitive_categories
	is_array(sensitive_categories)
	every category in input.processing.data_categories { not category in sensitive_categories }
}

# METADATA
# title: Consent may be asked for
# description: A missing or lapsed yes may be asked for. A no, also to a broader purpose, is never asked away.
consent_askable if {
	choice in {"never_asked", "not_required", "expired", "renewal_required"}
	input.consent.channel_allowed == true
	not broadly_refused
}

broadly_refused if "refused" in broader_choices

broadly_refused if "withdrawn" in broader_choices
