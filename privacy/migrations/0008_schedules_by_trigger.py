"""Schedules get a data set, a trigger, an action and a law; each there is stays what it was: events, by their age."""

import datetime as dt

import django.db.models.deletion
from django.db import migrations, models

from oversight.guard import let_migration_write

_TRIGGERS = [
    ("received", "It was received"),
    ("last_activity", "The person was last active"),
    ("contract_end", "The contract ended"),
    ("withdrawal", "The last permission was withdrawn"),
    ("window", "Newer entries of the person push it out"),
]
_ACTIONS = [
    ("delete", "Delete"),
    ("anonymise", "Anonymise"),
    ("aggregate", "Keep counts of groups, and delete"),
    ("crypto_shred", "Destroy the person's key"),
    ("keep", "Keep at least that long (legal minimum)"),
]
_NAMED = """
UPDATE privacy_retentionschedule s SET slug = p.slug FROM consent_purpose p WHERE p.id = s.purpose_id;
UPDATE privacy_deletionplan d SET schedule = p.slug FROM consent_purpose p WHERE p.id = d.purpose_id;
UPDATE privacy_disposal d SET schedule = p.slug FROM consent_purpose p
WHERE p.id = d.purpose_id AND d.reason = 'retention';
"""
# What a notice says of how long data is kept: the shortest period that counts from receipt, for everyone.
_READ = """
CREATE OR REPLACE FUNCTION assent_retention_days(purpose_id bigint) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT min((extract(epoch FROM s.retain_for) / 86400)::integer) FROM privacy_retentionschedule s
  WHERE (s.purpose_id = $1 OR s.purpose_id IS NULL) AND s.is_active AND s.trigger = 'received' AND s.action <> 'keep'
  AND s.jurisdiction = ''
$$;
"""
_READ_BEFORE = """
CREATE OR REPLACE FUNCTION assent_retention_days(purpose_id bigint) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM s.retain_for) / 86400)::integer FROM privacy_retentionschedule s
  WHERE s.purpose_id = $1 AND s.is_active
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0007_deletion_plans")]

    operations = [
        let_migration_write(),
        migrations.AlterModelOptions(
            name="retentionschedule", options={"ordering": ["purpose", "slug"], "verbose_name": "retention schedule"}
        ),
        migrations.AddField("retentionschedule", "slug", models.CharField(max_length=64, null=True)),
        migrations.AddField("deletionplan", "schedule", models.CharField(max_length=64, default="")),
        migrations.AddField(
            "disposal", "schedule", models.CharField(blank=True, db_default="", default="", max_length=64)
        ),
        migrations.AddField("disposal", "terms", models.JSONField(db_default={}, default=dict)),
        migrations.RunSQL(_NAMED, migrations.RunSQL.noop),
        # What is still pending of foreign keys would keep the tables from being altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField("retentionschedule", "slug", models.SlugField(max_length=64, unique=True)),
        migrations.AlterField("deletionplan", "schedule", models.CharField(max_length=64)),
        migrations.AddField("retentionschedule", "data_set", models.CharField(default="events", max_length=64)),
        migrations.AddField(
            "retentionschedule", "trigger", models.CharField(choices=_TRIGGERS, default="received", max_length=16)
        ),
        migrations.AddField("retentionschedule", "keep_last", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField(
            "retentionschedule", "action", models.CharField(choices=_ACTIONS, default="delete", max_length=16)
        ),
        migrations.AddField("retentionschedule", "kinds", models.JSONField(blank=True, default=list)),
        migrations.AddField(
            "retentionschedule", "jurisdiction", models.CharField(blank=True, default="", max_length=32)
        ),
        migrations.AddField("retentionschedule", "ground", models.CharField(blank=True, default="", max_length=200)),
        migrations.AlterField(
            "retentionschedule",
            "purpose",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retention_schedules",
                to="consent.purpose",
            ),
        ),
        migrations.AlterField("retentionschedule", "retain_for", models.DurationField(blank=True, null=True)),
        migrations.AlterField(
            "deletionplan",
            "purpose",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="consent.purpose"),
        ),
        migrations.AlterField(
            "disposal",
            "purpose",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="consent.purpose"),
        ),
        migrations.AlterField("disposalbatch", "reached_key", models.CharField(blank=True, max_length=128)),
        migrations.RemoveConstraint("retentionschedule", "privacy_retention_is_a_day"),
        migrations.AddConstraint(
            "retentionschedule",
            models.CheckConstraint(
                name="privacy_retention_is_a_day",
                condition=models.Q(
                    models.Q(
                        ("keep_last", None),
                        ("retain_for__gte", dt.timedelta(days=1)),
                        ("retain_for__isnull", False),
                        models.Q(("trigger", "window"), _negated=True),
                    ),
                    models.Q(
                        ("keep_last__gte", 1),
                        ("keep_last__isnull", False),
                        ("retain_for", None),
                        ("trigger", "window"),
                    ),
                    _connector="OR",
                ),
            ),
        ),
        migrations.AddConstraint(
            "retentionschedule",
            models.UniqueConstraint(
                condition=models.Q(("action", "keep"), _negated=True),
                fields=("purpose", "data_set", "trigger", "jurisdiction"),
                name="privacy_retention_once",
                nulls_distinct=False,
                violation_error_message=(
                    "There is a schedule of this purpose, data set, trigger and jurisdiction already. Change that one."
                ),
            ),
        ),
        migrations.CreateModel(
            name="ContractEnd",
            fields=[
                ("subject_ref", models.UUIDField(primary_key=True, serialize=False)),
                ("ended_at", models.DateTimeField(db_index=True)),
            ],
            options={"verbose_name": "end of a contract", "verbose_name_plural": "ends of contracts"},
        ),
        migrations.RunSQL(_READ, _READ_BEFORE),
    ]
