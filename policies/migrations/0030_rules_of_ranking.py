"""Rules of ranking: a register, written by change sets only."""

from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("policies", "0029_items_scope"), ("oversight", "0002_guards")]
    operations = [
        migrations.CreateModel(
            name="RankingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.SlugField(max_length=64, unique=True)),
                ("serves_visitors", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "rule of ranking",
                "verbose_name_plural": "rules of ranking",
                "ordering": ["purpose"],
            },
        ),
        guard("policies_rankingrule"),
    ]
