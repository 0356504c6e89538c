"""Who published and who activated is kept as an account's id too: a name can be changed, and used again.

Also the option of a credential for answers that repeat.
"""

from django.db import migrations, models
from django.db.models import F, Q

# The accounts that had these names when they acted, where they still exist. No row says anything new by it, so the
# guards of the append-only tables are lifted for it; they are locked against everybody else meanwhile.
_FILL = """
ALTER TABLE policies_policy DISABLE TRIGGER policies_policy_append_only;
ALTER TABLE policies_policyactivation DISABLE TRIGGER policies_policyactivation_append_only;
UPDATE policies_policy p SET author_account = u.id FROM auth_user u
  WHERE p.author = 'officer:' || u.username AND u.date_joined <= p.created_at;
UPDATE policies_policyactivation a SET actor_account = u.id FROM auth_user u
  WHERE a.actor = 'officer:' || u.username AND u.date_joined <= a.activated_at;
UPDATE policies_policyactivation a SET author_account = p.author_account FROM policies_policy p
  WHERE p.digest = a.policy_id;
UPDATE policies_rollout r SET author_account = p.author_account FROM policies_policy p WHERE p.digest = r.policy_id;
UPDATE policies_rollout r SET approved_account = u.id FROM auth_user u
  WHERE r.approved_by = 'officer:' || u.username AND u.date_joined <= r.started_at;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE policies_policy ENABLE TRIGGER policies_policy_append_only;
ALTER TABLE policies_policyactivation ENABLE TRIGGER policies_policyactivation_append_only;
"""


def _two_persons(name: str, account: str, other: str, other_account: str) -> Q:
    known = Q(**{f"{account}__isnull": False, f"{other_account}__isnull": False})
    return (known & ~Q(**{account: F(other_account)})) | (~known & ~Q(**{name: F(other)}))


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0015_registers_scope"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            "servicecredential", "repeatable_answers", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField("policy", "author_account", models.BigIntegerField(null=True)),
        migrations.AddField("policyactivation", "author_account", models.BigIntegerField(null=True)),
        migrations.AddField("policyactivation", "actor_account", models.BigIntegerField(null=True)),
        migrations.AddField("rollout", "author_account", models.BigIntegerField(null=True)),
        migrations.AddField("rollout", "approved_account", models.BigIntegerField(null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.RemoveConstraint("policyactivation", "policies_two_persons"),
        migrations.AddConstraint(
            "policyactivation",
            models.CheckConstraint(
                name="policies_two_persons",
                condition=~Q(kind="approved") | _two_persons("author", "author_account", "actor", "actor_account"),
            ),
        ),
        migrations.RemoveConstraint("rollout", "policies_rollout_two_persons"),
        migrations.AddConstraint(
            "rollout",
            models.CheckConstraint(
                name="policies_rollout_two_persons",
                condition=Q(share=0)
                | (~Q(approved_by="") & _two_persons("author", "author_account", "approved_by", "approved_account")),
            ),
        ),
    ]
