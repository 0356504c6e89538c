package governance.certification_test

import data.governance.certification

# subject, action, properties of the action, resource, expected decision
table := [
	["alice", "read", {}, "record-1", true],
	["alice", "write", {}, "record-1", true],
	["bob", "read", {}, "record-1", true],
	["bob", "write", {}, "record-1", false],
	["alice", "read", {}, "record-2", true],
	["bob", "read", {}, "record-2", true],
	["alice", "write", {}, "record-2", false],
	["bob", "write", {}, "record-2", true],
	["alice", "delete", {"soft": true}, "record-1", true],
	["alice", "delete", {"soft": false}, "record-1", false],
	["alice", "delete", {}, "record-1", false],
	["alice", "delete", {"soft": "true"}, "record-1", false],
	["bob", "delete", {"soft": true}, "record-2", true],
	["alice", "approve", {}, "record-1", false],
	["mallory", "read", {}, "record-1", false],
	["mallory", "delete", {"soft": true}, "record-1", false],
	["alice", "read", {}, "record-3", false],
]

facts(user, action, properties, record) := {
	"subject": entity("user", user),
	"action": {"name": action, "properties": properties},
	"resource": entity("record", record),
}

entity(type, id) := {
	"type": type,
	"id": id,
	"known": id in object.keys(data.entities[type]),
	"properties": object.get(data.entities[type], id, {}),
}

test_every_case_is_decided_as_the_scenario_says if {
	every row in table {
		answer := certification.answer with input as facts(row[0], row[1], row[2], row[3])
			with data.revision as "r"
		answer.decision == row[4]
	}
}

test_an_archived_record_needs_an_administrator if {
	archived := json.patch(
		facts("alice", "write", {}, "record-1"),
		[{"op": "replace", "path": "/resource/properties/status", "value": "archived"}],
	)
	answer := certification.answer with input as archived with data.revision as "r"
	answer.decision == false

	admin := json.patch(archived, [{"op": "add", "path": "/subject/properties/role", "value": "admin"}])
	permit := certification.answer with input as admin with data.revision as "r"
	permit.decision == true
}

test_an_unknown_status_is_not_written if {
	spoilt := json.patch(
		facts("alice", "write", {}, "record-1"),
		[{"op": "replace", "path": "/resource/properties/status", "value": "unknown"}],
	)
	answer := certification.answer with input as spoilt with data.revision as "r"
	answer.reasons == [{"code": "not_permitted"}]
}

test_no_facts_are_denied if {
	answer := certification.answer with input as {} with data.revision as "r"
	answer.decision == false
}
