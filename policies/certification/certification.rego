# The rules of the OpenID certification scenario for AuthZEN 1.0. Loaded on request only; no installation needs them.
package governance.certification

# METADATA
# title: The decision
# description: Always defined. Facts are entities and their properties; unknown entities are denied everything.
# entrypoint: true
answer := {
	"revision": data.revision,
	"decision": true,
	"level": null,
	"reasons": [],
	"obligations": [],
	"legal_basis": null,
	"requestable": false,
} if {
	permitted
} else := {
	"revision": data.revision,
	"decision": false,
	"level": null,
	"reasons": [{"code": reason_of_denial}],
	"obligations": [],
	"legal_basis": null,
	"requestable": false,
}

# METADATA
# title: Reading
# description: Every known user may read every known record.
permitted if {
	entities_known
	input.action.name == "read"
}

# METADATA
# title: Writing
# description: The writers may write active records.
permitted if {
	entities_known
	input.action.name == "write"
	input.resource.properties.status == "active"
	input.subject.id in data.certification.writers
}

# METADATA
# title: Writing what is archived
# description: Only a subject whose role is admin may.
permitted if {
	entities_known
	input.action.name == "write"
	input.resource.properties.status == "archived"
	input.subject.properties.role == "admin"
}

# METADATA
# title: Deleting
# description: Only what can be undone. An action that does not say so is denied.
permitted if {
	entities_known
	input.action.name == "delete"
	input.action.properties.soft == true
}

entities_known if {
	input.subject.known == true
	input.resource.known == true
}

reason_of_denial := "subject_unknown" if {
	input.subject.known == false
} else := "resource_unknown" if {
	input.resource.known == false
} else := "not_permitted"
