"""Indexes of the audit log's filters: by actor, by words of an object, and from an event to its anchor."""

from django.db import migrations, models

# Pseudonyms are found whole by another index, so the many events about people cost nothing here.
_WORDS = r"""
CREATE INDEX audit_event_object_words ON audit_auditevent USING gin (to_tsvector('simple', object))
WHERE object !~ '^[0-9a-f]{8}-[0-9a-f]{4}-'
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_officer_labels")]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor", "-code"], name="audit_event_of_actor"),
        ),
        migrations.AddIndex(
            model_name="auditanchor",
            index=models.Index(fields=["last_position"], name="audit_anchor_last"),
        ),
        migrations.RunSQL(_WORDS, "DROP INDEX audit_event_object_words"),
    ]
