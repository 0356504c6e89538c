"""``./assent model verify``: what it says, its exit status, and what the page shows of it."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from model_registry.documents import keeping as documents
from model_registry.documents.card import ModelCard
from model_registry.gates.checks import GATES
from model_registry.gates.findings import FAILED, PASSED
from model_registry.gates.found import gather
from model_registry.models import ModelVersion
from model_registry.pages import panels
from personalization import tasks, training
from personalization.verification import of_card, telling
from policies.models import ActiveBundle
from tests.helpers import models

pytestmark = pytest.mark.django_db


def _verify(*arguments):
    output = StringIO()
    try:
        call_command("model", "verify", *arguments, stdout=output)
    except SystemExit as exc:
        return exc.code, output.getvalue()
    return 0, output.getvalue()


def _lie(version):
    content = documents.current(version, "card").content
    content["training"]["to_day"] = "2031-01-01"
    documents.keep(version, "card", ModelCard.model_validate(content), actor="officer:liar")


def _gate(version):
    from django.utils import timezone

    return GATES["files"].check(gather(version, timezone.now()), Decimal(0)).state


def test_an_honest_version_has_status_zero(trained):
    code, text = _verify("house-recommender", "1")

    assert code == 0
    assert text.startswith("house-recommender@1: ")
    assert "differs" not in text
    assert _gate(trained) == PASSED


def test_a_lie_is_named_and_the_status_is_one(trained):
    assert _gate(trained) == FAILED
    _verify("house-recommender@1")
    _lie(trained)
    assert _gate(trained) == FAILED, "the card was changed since"

    code, text = _verify("house-recommender", "1", "--json")

    said = json.loads(text)
    bad = [line for line in said["lines"] if line["state"] in ("differs", "missing")]
    assert (code, said["passed"], said["counts"]["differs"]) == (1, False, 1)
    assert [(line["what"], "2031-01-01" in line["why"]) for line in bad] == [("card: training.to_day", True)]
    assert _gate(trained) == FAILED


def test_every_night_the_version_that_serves_is_verified_and_no_revision_changes(trained):
    draft = training.train_recommender(actor="officer:test")
    models.go_live(trained)
    before = ActiveBundle.objects.get().bundle_id

    tasks.verify_models()

    [evidence] = trained.evidence.filter(name="files")
    assert evidence.made_by == "job:verification"
    assert not draft.evidence.filter(name="files").exists()
    assert ActiveBundle.objects.get().bundle_id == before

    ModelVersion.objects.filter(pk=trained.pk).update(status="canary", canary_rollout=1)
    tasks.verify_models()
    assert trained.evidence.filter(name="files").count() == 2, "a canary serves people, too"


def test_an_unknown_version_is_refused(trained):
    with pytest.raises(CommandError, match="There is no version"):
        _verify("house-recommender", "9")


def test_the_page_shows_files_signature_and_the_last_outcome(trained):
    before = panels.drawn(trained)
    assert "Files and figures" in before
    assert "./assent model verify house-recommender 1" in before
    for file in trained.files.all():
        assert file.sha256 in before

    _lie(trained)
    _verify("house-recommender", "1")

    after = telling.panel(trained)
    assert "card: training.to_day" in after
    assert "Signed" in after
    assert "Last verified" in after


def test_a_card_that_is_kept_while_another_is_verified_is_not_verified(trained, monkeypatch):
    compare = of_card.lines

    def meanwhile(*arguments, **more):
        found = compare(*arguments, **more)
        _lie(trained)
        return found

    monkeypatch.setattr(of_card, "lines", meanwhile)

    code, _text = _verify("house-recommender", "1")

    assert code == 0, "the card that was read is honest"
    assert _gate(trained) == FAILED
