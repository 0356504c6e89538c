# How personal an experience may be: the lowest of the level asked for and every ceiling below it. Inside, levels
# are ranks (0 = none); which levels exist, and their order, is data. A ceiling the data does not state is none.
package governance.decision

# An unknown level is a request for none.
requested_rank := place if {
	place := data.levels[input.requested_level]
} else := 0

rank(name) := object.get(data.levels, name, 0)

# METADATA
# title: Ceiling for minors
# description: GDPR recital 38. Each jurisdiction names it.
ceilings contains {"rank": limit, "reason": {"code": "minor"}} if {
	input.subject.age_band != "adult"
	not adult
	limit := rank(object.get(jurisdiction, "minor_max_level", "none"))
	limit < requested_rank
}

# METADATA
# title: Ceilings of opt-out signals
# description: >-
#   Global Privacy Control (gpc) and the opt-outs of a GPP string (gpp). The jurisdiction says how far each lowers
#   the level. Only a yes given after the person was told of the conflict lifts them (CCPA Regulations 7025(c)).
ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_signal", "detail": "gpc"}} if {
	input.signals.gpc != false
	not signal_lifted
	limit := rank(object.get(jurisdiction, ["signal_caps", "gpc"], "none"))
	limit < requested_rank
}

ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_signal", "detail": "gpp"}} if {
	input.signals.gpp_opt_out != false
	not signal_lifted
	limit := rank(object.get(jurisdiction, ["signal_caps", "gpp"], "none"))
	limit < requested_rank
}

# METADATA
# title: Ceiling of a TCF string
# description: >-
#   IAB TCF purposes 5 and 6 (profiles to personalise content, and their use). A string that lacks them says no, and
#   one that cannot be read grants nothing.
ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_signal", "detail": "tcf"}} if {
	input.signals.tcf_present != false
	not tcf_grants_profiles
	limit := rank(object.get(jurisdiction, ["signal_caps", "tcf"], "none"))
	limit < requested_rank
}

default tcf_grants_profiles := false

tcf_grants_profiles if {
	5 in input.signals.tcf_purposes
	6 in input.signals.tcf_purposes
}

# METADATA
# title: Ceiling of the person
# description: How personal the person lets this purpose be, or how personal the terms were that the person agreed to.
ceilings contains {"rank": limit, "reason": own_limit} if {
	input.consent.max_level != input.requested_level
	limit := rank(input.consent.max_level)
	limit < requested_rank
}

own_limit := {"code": "renewal_required", "detail": "level"} if {
	"level" in new_parts
} else := {"code": "level_capped_by_choice"}

default signal_lifted := false

signal_lifted if {
	input.consent.lifts_signal == true
	choice == "given"
}

# METADATA
# title: Ceiling for people who were not asked
# description: Where an opt-out law lets them be served at all, see `served_unasked`.
ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_jurisdiction"}} if {
	input.consent.state == "never_asked"
	served_unasked
	limit := rank(jurisdiction.unasked_max_level)
	limit < requested_rank
}

ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_model"}} if {
	input.model.max_level != input.requested_level
	limit := rank(input.model.max_level)
	limit < requested_rank
}

# METADATA
# title: Ceiling of the purpose
# description: How far the register lets this purpose go.
ceilings contains {"rank": limit, "reason": {"code": "level_capped_by_purpose"}} if {
	object.get(purpose, "max_level", "none") != input.requested_level
	limit := rank(object.get(purpose, "max_level", "none"))
	limit < requested_rank
}

lowest_rank := requested_rank if {
	ceilings == set()
} else := min({limit.rank | some limit in ceilings})

# METADATA
# title: Smallest segment
# description: Level segment needs a group of at least `segment.min_size` people; a smaller one would single them out.
segment_large_enough if {
	is_number(input.engine.segment_k)
	input.engine.segment_k >= data.segment.min_size
}
