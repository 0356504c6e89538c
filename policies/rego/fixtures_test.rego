# The fact sheet the tests start from. The register is the sample in tests/cases/data.json.
package governance.decision_test

facts := {
	"action": "personalize",
	"purpose": "recommendations",
	"requested_level": "individual",
	"consent": {
		"state": "given",
		"explicit": false,
		"notice_current": true,
		"channel_allowed": true,
		"lifts_signal": false,
		"refused_categories": [],
		"unagreed_categories": [],
		"max_level": "individual",
	},
	"ancestors": {"personalization": "given"},
	"objection": false,
	"restricted": false,
	"held": false,
	"subject": {"region": "DE", "jurisdiction": "gdpr", "age_band": "adult", "known": true},
	"signals": {"gpc": false, "gpp_opt_out": false, "tcf_present": false, "tcf_purposes": []},
	"processing": {
		"region": "eu-central",
		"recipient": null,
		"channel": "email",
		"data_categories": ["purchases", "views"],
		"sensitive": [],
		"expired_instruments": [],
	},
	"model": {
		"id": "basket",
		"version": 3,
		"status": "live",
		"max_level": "individual",
		"purposes": ["recommendations"],
		"gates": "passed",
	},
	"engine": {"segment_k": 41, "privacy_budget": "available"},
	"time": {"quiet_hours": false},
}

# The fact sheet with other values at the given paths, written as JSON pointers: {"/consent/state": "refused"}.
with_changes(changes) := json.patch(facts, [{"op": "add", "path": path, "value": value} |
	some path, value in changes
])

codes(answer) := [reason.code | some reason in answer.reasons]

types(answer) := [obligation.type | some obligation in answer.obligations]
