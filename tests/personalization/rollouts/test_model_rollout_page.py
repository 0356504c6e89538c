"""Pages "Rollouts of models": officers begin, widen, finish, stop and look; who may not, does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from model_registry.models import ModelVersion
from oversight.models import WorkItem
from oversight.rollouts import watch
from personalization.models import ModelRollout
from personalization.rollouts.kind import of_rollout
from tests.helpers.model_rollouts import start
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
PAGE = "/admin/model-rollouts/"


@pytest.fixture
def anna(register_in_force):
    return signed_in(with_role("anna", "privacy-officer"))


@pytest.fixture
def berta():
    return signed_in(with_role("berta", "approver"))


def _text(response):
    return " ".join(response.content.decode().split())


def _begin(browser, version, **fields):
    return browser.post(f"{PAGE}start", {"version": version.pk, "because": "better lists", **fields}, follow=True)


def _confirm(browser, path, **fields):
    return browser.post(path, {**fields, "seen": browser.get(path).context["step"].seen}, follow=True)


def test_a_version_goes_its_whole_way_in_the_browser(anna, berta, candidate, deployed):
    assert "No other version is approved" not in _text(anna.get(PAGE))
    version_page = f"/admin/model_registry/modelversion/{candidate.pk}/change/"
    assert f"{PAGE}?version={candidate.pk}" in _text(anna.get(version_page))

    begun = _begin(anna, candidate, at_least="20")
    rollout = ModelRollout.objects.get()
    assert "It serves no one." in _text(begun)
    assert (rollout.started_by, rollout.reason, rollout.guards["at_least"]) == ("officer:anna", "better lists", 20)
    assert "Rollout of a model to approve" in _text(berta.get("/admin/"))

    page = f"{PAGE}{rollout.pk}/"
    assert "You are its author" in _text(anna.get(page))
    assert "You are its author" in _text(_confirm(anna, f"{page}share", percent="10"))
    widened = _confirm(berta, f"{page}share", percent="12.5")
    assert "Version 2 serves 12.5 % of the people." in _text(widened)
    assert ModelVersion.objects.get(pk=candidate.pk).canary_share == 1_250
    assert "Version 2 serves 12.5 % of the people." in _text(anna.get(version_page))

    finished = _confirm(berta, f"{page}finish")
    assert "Version 2 is live." in _text(finished)
    assert ModelVersion.objects.get(pk=candidate.pk).status == "live"
    assert ModelVersion.objects.get(pk=deployed.pk).status == "approved"


def test_a_page_that_is_out_of_date_does_nothing(anna, berta, candidate):
    _begin(anna, candidate)
    rollout = ModelRollout.objects.get()
    page = f"{PAGE}{rollout.pk}/"
    seen = of_rollout(rollout).digest
    _confirm(berta, f"{page}share", percent="1")

    for step in ("share", "finish"):
        answer = berta.post(f"{page}{step}", {"percent": "50", "seen": seen}, follow=True)
        assert "has changed since you opened it" in _text(answer)
        assert "has changed since you opened it" in _text(berta.post(f"{page}{step}", {"percent": "50"}, follow=True))

    rollout.refresh_from_db()
    assert (rollout.share, rollout.is_open) == (100, True)


def test_stopping_takes_one_officer_and_a_reason(anna, candidate):
    _begin(anna, candidate)
    page = f"{PAGE}{ModelRollout.objects.get().pk}/"

    assert "Say why" in _text(anna.post(f"{page}stop", {"because": ""}, follow=True))
    assert "stopped by an officer" in _text(anna.post(f"{page}stop", {"because": "wrong file"}, follow=True))
    assert ModelVersion.objects.get(pk=candidate.pk).status == "approved"


def test_a_roll_back_is_shown_with_its_reason_and_closed_by_an_officer(anna, candidate):
    rollout = start(candidate, share=100)
    ModelVersion.objects.filter(pk=candidate.pk).update(approved_until=timezone.now().date() - timedelta(days=2))
    watch.check()
    page = f"{PAGE}{rollout.pk}/"

    assert "A model was rolled back by itself" in _text(anna.get("/admin/"))
    shown = _text(anna.get(page))
    assert "The candidate does not pass its release gates any more" in shown
    answer = anna.post(f"{page}confirm", {"because": "Retrain it."}, follow=True)

    assert "The work is closed." in _text(answer)
    assert WorkItem.objects.get(kind="model-rolled-back").outcome == "Retrain it."
    assert f"{page}confirm" not in _text(anna.get(page))


@pytest.mark.parametrize(
    "bad", [{"at_least": "many"}, {"at_least": "1"}, {"because": ""}, {"version": "x"}, {"version": "9" * 30}]
)
def test_a_form_that_makes_no_sense_begins_nothing(anna, candidate, bad):
    answer = anna.post(f"{PAGE}start", {"version": candidate.pk, "because": "x", **bad}, follow=True)

    assert answer.status_code in (200, 404)
    assert not ModelRollout.objects.exists()


@pytest.mark.parametrize("percent", ["", "nan", "-1", "51", "1e9"])
def test_a_share_that_makes_no_sense_moves_nothing(anna, berta, candidate, percent):
    _begin(anna, candidate)
    page = f"{PAGE}{ModelRollout.objects.get().pk}/"

    _confirm(berta, f"{page}share", percent=percent)

    assert ModelRollout.objects.get().share == 0


def test_who_may_not_release_models_looks_only(candidate):
    rollout = start(candidate)
    auditor, owner = signed_in(with_role("gus", "auditor")), signed_in(with_role("otto", "operator"))

    assert auditor.get(f"{PAGE}{rollout.pk}/").status_code == 200
    assert f"{rollout.pk}/share" not in _text(auditor.get(f"{PAGE}{rollout.pk}/"))
    for name in ("share", "finish", "stop", "confirm"):
        assert auditor.post(f"{PAGE}{rollout.pk}/{name}", {"percent": "1", "because": "x"}).status_code == 403
    assert auditor.post(f"{PAGE}start", {"version": candidate.pk}).status_code == 403
    assert owner.get(PAGE).status_code == 403
    assert auditor.get(f"{PAGE}{rollout.pk}/nonsense").status_code == 403


def test_a_rollout_whose_counts_are_gone_shows_no_figures(anna, candidate, ask, agree, every_request_compared):
    rollout = start(candidate)
    ask(agree("customer-1"))
    anna.post(f"{PAGE}{rollout.pk}/stop", {"because": "seen"})
    before = _text(anna.get(f"{PAGE}{rollout.pk}/"))
    rollout.counts.all().delete()

    after = _text(anna.get(f"{PAGE}{rollout.pk}/"))

    for shown in ("What the guards see", "Share of answers that are the general list"):
        assert (shown in before, shown in after) == (True, False)
    assert "stopped by an officer" in after


def test_the_page_shows_both_sides_with_intervals(anna, candidate, ask, agree, every_request_compared):
    rollout = start(candidate)
    ask(agree("customer-1"))

    shown = _text(anna.get(f"{PAGE}{rollout.pk}/"))

    assert "0.0 % [0.0, 79.3]" in shown  # one answer says next to nothing
    assert "Candidate, not shown" in shown
    assert 'Of the first ten items, the same</th><td data-label="On average">10.00</td>' in shown
    assert "They judge answers after" in shown
