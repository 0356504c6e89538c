"""The life of a model version: which steps there are, and that each is in force with its bundle or not at all."""

import json

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from common import policy_data
from consent.models import Purpose
from model_registry import services
from model_registry.files import signature
from model_registry.models import GateDemand, Model, ModelVersion
from oversight.problems import SecondOfficerNeeded
from policies.bundles import publishing
from policies.models import ActiveBundle, Bundle

pytestmark = pytest.mark.django_db

SECONDED = {("in_review", "approved"), ("suspended", "live"), ("canary", "live")}
ALONE = {
    ("draft", "in_review"),
    ("draft", "retired"),
    ("in_review", "draft"),
    ("in_review", "retired"),
    ("approved", "live"),
    ("approved", "in_review"),
    ("approved", "retired"),
    ("canary", "approved"),
    ("canary", "suspended"),
    ("canary", "retired"),
    ("live", "approved"),
    ("live", "suspended"),
    ("live", "retired"),
    ("suspended", "in_review"),
    ("suspended", "retired"),
}
STATUSES = ["draft", "in_review", "approved", "canary", "live", "suspended", "retired"]
STEPS = [(before, after) for before in STATUSES for after in [*STATUSES, "shadow", ""]]


@pytest.fixture
def model(register_in_force):
    GateDemand.objects.update(is_active=False)
    return Model.objects.create(slug="basket", name="Basket")


@pytest.fixture
def register(model):
    def version(status="draft", *purposes, **fields):
        registered = services.register_version(
            model=model, purposes=list(Purpose.objects.filter(slug__in=purposes)), actor="officer:test", **fields
        )
        rollout = 1 if status == "canary" else None
        ModelVersion.objects.filter(pk=registered.pk).update(status=status, canary_rollout=rollout)
        policy_data.changed(reason="test", actor="test")
        return registered

    return version


def _change(version, status):
    return services.change_status(version_id=version.pk, status=status, actor="officer:ada")


def _in_force(name="basket@1"):
    return json.loads(ActiveBundle.objects.get().bundle.data)["models"].get(name)


def _stored(version):
    return ModelVersion.objects.get(pk=version.pk)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_step_is_taken_if_the_life_of_a_model_has_it(register, before, after):
    version = register(before, "recommendations")

    if (before, after) in ALONE:
        _change(version, after)
        assert _stored(version).status == after
    elif (before, after) in SECONDED:
        with pytest.raises(SecondOfficerNeeded, match="another officer approves"):
            _change(version, after)
        assert _stored(version).status == before
    else:
        with pytest.raises(services.StatusNotPossible):
            _change(version, after)
        assert _stored(version).status == before


@pytest.mark.parametrize(("before", "after"), sorted(ALONE))
def test_every_step_is_an_event_and_in_force_at_once(register, before, after):
    version = register(before, "recommendations")
    since = _stored(version).status_changed_at

    _change(version, after)

    served = after if after in ("live", "suspended", "retired") else None
    assert (_in_force() or {}).get("status") == served
    event = AuditEvent.objects.get(action=f"model.{after}")
    assert (event.actor, event.object, event.details) == ("officer:ada", "basket@1", {"before": before})
    assert _stored(version).status_changed_at > since


def test_a_refused_step_leaves_no_bundle_and_no_event(register):
    version = register("draft", "recommendations")
    revision, events = ActiveBundle.objects.get().bundle_id, AuditEvent.objects.count()

    with pytest.raises(services.StatusNotPossible) as refused:
        _change(version, "suspended")

    assert (refused.value.status, refused.value.code) == (409, "status_not_possible")
    assert (ActiveBundle.objects.get().bundle_id, AuditEvent.objects.count()) == (revision, events)


def test_without_a_purpose_nothing_becomes_live(register):
    version = register("approved")

    with pytest.raises(services.NoPurpose) as refused:
        _change(version, "live")

    assert (refused.value.status, refused.value.code) == (409, "model_without_purpose")
    assert _stored(version).status == "approved"


def test_without_its_gates_nothing_becomes_live(register):
    version = register("approved", "recommendations")
    GateDemand.objects.filter(slug="runbook").update(is_active=True)

    with pytest.raises(services.GatesNotPassed, match="Runbook: there is none") as refused:
        _change(version, "live")

    assert (refused.value.status, refused.value.code) == (409, "gates_not_passed")
    assert _stored(version).status == "approved"


def test_the_version_before_steps_back_and_can_be_made_live_again(register):
    first, second = register("live", "recommendations"), register("approved", "recommendations")

    _change(second, "live")
    assert [_stored(each).status for each in (first, second)] == ["approved", "live"]
    assert AuditEvent.objects.get(action="model.approved").details == {"before": "live", "for": "basket@2"}

    _change(first, "live")
    assert [_stored(each).status for each in (first, second)] == ["live", "approved"]
    assert (_in_force("basket@1")["status"], _in_force("basket@2")) == ("live", None)


def test_the_database_refuses_two_live_versions(register):
    register("live")

    with pytest.raises(IntegrityError, match="one_live"), transaction.atomic():
        register("live")


def test_without_a_purpose_a_version_can_still_be_retired(register):
    assert _change(register("draft"), "retired").status == "retired"


def test_what_cannot_be_published_is_not_changed(register, monkeypatch):
    version = register("live", "recommendations")
    revision, before = ActiveBundle.objects.get().bundle_id, (Bundle.objects.count(), AuditEvent.objects.count())

    def fail(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(publishing, "activate", fail)

    with pytest.raises(OSError, match="disk"):
        _change(version, "suspended")

    assert _stored(version).status == "live"
    assert ModelVersion.objects.count() == 1
    assert ActiveBundle.objects.get().bundle_id == revision
    assert (Bundle.objects.count(), AuditEvent.objects.count()) == before
    assert _in_force()["status"] == "live"


def test_the_same_registers_again_are_the_same_revision_again(register):
    version = register("approved", "recommendations")
    _change(version, "live")
    revision = ActiveBundle.objects.get().bundle_id

    _change(version, "approved")
    _change(version, "live")

    assert ActiveBundle.objects.get().bundle_id == revision
    assert AuditEvent.objects.filter(action="bundle.activated", object=revision).count() == 2


def test_versions_of_a_model_count_up_and_start_as_drafts(register, model):
    versions = [register() for _ in range(3)]

    assert [(version.version, _stored(version).status) for version in versions] == [
        (1, "draft"),
        (2, "draft"),
        (3, "draft"),
    ]
    other = services.register_version(model=Model.objects.create(slug="other", name="O"), purposes=[], actor="test")
    assert other.version == 1


def test_a_version_in_use_is_in_the_bundle_with_what_it_may_do(register):
    register("live", "recommendations", "personalization", max_level="segment", artifact="a-1", artifact_sha256="5e")

    in_force = _in_force()
    assert signature.read(in_force.pop("signature")).artifact_sha256 == "5e"
    assert in_force == {
        "id": "basket",
        "version": 1,
        "status": "live",
        "max_level": "segment",
        "purposes": ["personalization", "recommendations"],
        "gates": "passed",
        "gates_until": None,
        "artifact": "a-1",
        "artifact_sha256": "5e",
    }
    event = AuditEvent.objects.get(action="model.registered")
    assert event.details == {"purposes": ["personalization", "recommendations"], "artifact_sha256": "5e"}


def test_the_live_version_is_the_one_that_serves(register):
    assert services.live_version("basket") is None

    register("approved", "recommendations")
    register("live", "recommendations")
    register("suspended", "recommendations")
    register("draft", "recommendations")

    assert services.live_version("basket").version == 2
    assert services.live_version("unheard-of") is None
