# Who the data is about: of age or not, and under which law.
package governance.decision

jurisdiction := data.jurisdictions[input.subject.jurisdiction]

# METADATA
# title: The subject counts as an adult
# description: >-
#   GDPR Article 8. An unknown age is an adult's only where the jurisdiction says so; otherwise it is a minor's.
adult if input.subject.age_band == "adult"

adult if {
	input.subject.age_band == "unknown"
	jurisdiction.unknown_age_is_adult == true
}
