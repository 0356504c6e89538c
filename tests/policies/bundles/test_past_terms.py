"""An older installation's notice versions cover what every revision in force then said, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from consent.models import Notice, NoticeTerms, Purpose
from consent.register import register, terms
from policies.bundles import publishing
from policies.models import Activation, ActiveBundle
from policies.registers import defaults
from tests.helpers.wsgi_calls import call, question

past = import_module("policies.migrations.0019_terms_of_past_notices")
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _said(*data: str, level: str = "segment", days: int | None = None, **more: Any) -> dict[str, Any]:
    return {"shop": {"data_categories": list(data), "max_level": level, "retention_days": days, **more}}


def _common(*in_force: dict[str, Any], since: int = 0, until: int = 99) -> dict[str, Any]:
    dated = [(DAY + timedelta(days=number), said) for number, said in enumerate(in_force)]
    found: dict[str, Any] = past.common_terms(dated, "shop", DAY + timedelta(days=since), DAY + timedelta(days=until))
    return found


def test_terms_are_what_every_revision_said():
    found = _common(_said("a", "b"), _said("a", "b", "c", level="none"), _said("a", "d", days=30))

    assert (found["data_categories"], found["max_level"], found["retention_days"]) == (["a"], "none", 30)


def test_revisions_of_other_times_say_nothing_about_a_version():
    revisions = [_said("x"), _said("a", "b"), _said("a"), _said("y")]

    assert _common(*revisions, since=1, until=3)["data_categories"] == ["a"]


def test_the_revision_in_force_at_publication_counts():
    assert _common(_said("a"), since=5)["data_categories"] == ["a"]


def test_revisions_before_the_purpose_was_there_do_not_count():
    assert _common({}, _said("a"))["data_categories"] == ["a"]


def test_of_no_revision_nothing_was_agreed():
    assert terms.Terms.read(_common({})) == terms.Terms()


@pytest.mark.parametrize(("parents", "broader"), [([["x"], ["x", "y"]], "x"), ([["x"], []], None)])
def test_a_broader_purpose_counts_if_it_always_was(parents, broader):
    assert _common(*(_said("a", parents=each) for each in parents))["broader"] == broader


def _as_before_terms(as_attacker: Any) -> None:
    as_attacker("DELETE FROM consent_noticeterms")


def _migrate() -> None:
    class Editor:
        pass

    editor = Editor()
    editor.connection = connection  # type: ignore[attr-defined]
    past.freeze_past_terms(apps, editor)


def test_an_upgrade_freezes_what_bundles_prove(shop_token, as_attacker, capsys):
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = [*purpose.data_categories, "location"]
    register.save_purpose(purpose, actor="officer:test")
    as_attacker("UPDATE consent_notice SET published_at = now() - interval '1 hour'")
    as_attacker("UPDATE policies_activation SET activated_at = activated_at - interval '1 day' WHERE id < "
                f"{Activation.objects.first().pk}")  # fmt: skip
    _as_before_terms(as_attacker)

    _migrate()

    found = terms.of_version("recommendations", 1)
    assert found.data_categories == {"views", "purchases", "ratings"}
    assert "1 people agreed to version 1" in capsys.readouterr().out.replace("recommendations: ", "")
    assert (
        NoticeTerms.objects.count()
        == Purpose.objects.count() + Notice.objects.values("purpose", "version").distinct().count()
    )


def test_an_upgraded_installation_publishes_what_was_agreed(shop_token):
    narrow = ActiveBundle.objects.get().bundle
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = [*purpose.data_categories, "location"]
    register.save_purpose(purpose, actor="officer:test")
    publishing.activate(bundle=narrow, reason="of before terms were frozen", actor="test")

    assert defaults.ensure_defaults() is True
    assert defaults.ensure_defaults() is False

    document = question()
    document["resource"]["properties"]["data_categories"] = ["location"]
    assert call(document, shop_token).json()["decision"] is False


def test_an_empty_installation_freezes_nothing(db, capsys):
    _migrate()

    assert (NoticeTerms.objects.count(), capsys.readouterr().out) == (0, "")
    assert json.dumps(_common({}))
