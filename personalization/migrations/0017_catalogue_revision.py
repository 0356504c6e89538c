"""A number that changes with the catalogue, so that processes may hold items between requests."""

from django.db import migrations, models

_TABLES = ("personalization_item", "personalization_popularitem", "personalization_creatoroptout")
_COUNT = """
-- Before the statement: who changes items waits for the row first, and so cannot wait for two others in a circle.
CREATE SEQUENCE personalization_catalogue_revisions;
INSERT INTO personalization_cataloguerevision (id, revision) VALUES (1, nextval('personalization_catalogue_revisions'));
CREATE FUNCTION assent_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO personalization_cataloguerevision (id, revision)
  VALUES (1, nextval('personalization_catalogue_revisions'))
  ON CONFLICT (id) DO UPDATE SET revision = nextval('personalization_catalogue_revisions');
  RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assent_catalogue_changed();
"""
    for table in _TABLES
)
_STOP = (
    "".join(f"DROP TRIGGER {table}_revision ON {table};" for table in _TABLES)
    + "DROP FUNCTION assent_catalogue_changed(); DROP SEQUENCE personalization_catalogue_revisions;"
)


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0016_playground"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueRevision",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("revision", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="personalization_one_revision")
                ],
            },
        ),
        migrations.RunSQL(_COUNT, _STOP),
    ]
