"""Drafts belong to accounts: a name can be changed, and used again by another person."""

from django.db import migrations, models

# A draft under a name that no account has, or an account made later, has no author any more who could open it.
_FILL = """
UPDATE policies_policydraft d SET account = u.id FROM auth_user u
  WHERE d.author = 'officer:' || u.username AND u.date_joined <= d.changed_at;
DELETE FROM policies_policydraft WHERE account IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0016_officers_accounts"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField("policydraft", "account", models.BigIntegerField(null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.RemoveConstraint("policydraft", "policies_one_draft_each"),
        migrations.AlterField("policydraft", "account", models.BigIntegerField()),
        migrations.RemoveField("policydraft", "author"),
        migrations.AddConstraint(
            "policydraft", models.UniqueConstraint(fields=["policy", "account"], name="policies_one_draft_each")
        ),
    ]
