"""Approving, suspending and retiring a model, and revoking a credential: said first, done after."""

import pytest

from audit.models import AuditEvent
from consent.models import Purpose
from model_registry import services
from model_registry.models import Model, ModelVersion
from policies.bundles import loading
from policies.endpoints import credentials
from policies.models import ActiveBundle, ServiceCredential

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force):
    model = Model.objects.create(slug="basket", name="Basket")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def _page(version, step=""):
    return f"/admin/model_registry/modelversion/{version.pk}/{step or 'change'}/"


def _status(version):
    version.refresh_from_db()
    return version.status


def _status_in_force():
    return loading.loaded(ActiveBundle.objects.get().bundle_id).data["models"]["basket@1"]["status"]


def _become(version, *steps):
    for status in steps:
        services.change_status(version_id=version.pk, status=status, actor="test")


@pytest.mark.parametrize(
    ("steps", "offered"),
    [
        ([], ["approve", "retire"]),
        (["approved"], ["suspend", "retire"]),
        (["approved", "suspended"], ["approve", "retire"]),
        (["retired"], []),
    ],
)
def test_the_page_offers_only_the_steps_that_are_possible(officer, version, steps, offered):
    _become(version, *steps)

    page = officer.get(_page(version)).content.decode()

    assert [step for step in ("approve", "suspend", "retire") if f"{version.pk}/{step}" in page] == offered


def test_what_will_happen_is_said_before_and_nothing_has_happened_yet(officer, version):
    _become(version, "approved")

    page = officer.get(_page(version, "suspend")).content.decode()

    assert "Suspend Basket, version 1?" in page
    assert "It serves: Recommendations." in page
    assert "everybody gets the general list" in page
    assert _status(version) == "approved"


@pytest.mark.parametrize(
    ("before", "step", "after", "in_force"),
    [
        ([], "approve", "approved", "live"),
        (["approved"], "suspend", "suspended", "suspended"),
        (["approved", "suspended"], "approve", "approved", "live"),
        (["approved"], "retire", "retired", "retired"),
    ],
)
def test_confirming_does_it_in_the_officers_name(officer, version, before, step, after, in_force):
    _become(version, *before)

    answer = officer.post(_page(version, step), follow=True)

    assert answer.redirect_chain == [(_page(version), 302)]
    assert f"is {after} from the next decision on." in answer.content.decode()
    assert (_status(version), _status_in_force()) == (after, in_force)
    assert AuditEvent.objects.filter(action=f"model.{after}").first().actor == "officer:anna"


@pytest.mark.parametrize("step", ["approve", "suspend"])
def test_a_retired_version_stays_retired(officer, version, step):
    _become(version, "retired")

    assert officer.post(_page(version, step)).status_code == 403
    assert _status(version) == "retired"


def test_a_step_that_fails_is_explained_and_changes_nothing(officer, version):
    version.purposes.clear()

    answer = officer.post(_page(version, "approve"), follow=True)

    assert "Name at least one purpose this version may serve." in answer.content.decode()
    assert _status(version) == "draft"


def test_retiring_says_which_version_takes_over(officer, version):
    _become(version, "approved")
    assert (
        "everybody gets the general list until you approve one"
        in officer.get(_page(version, "retire")).content.decode()
    )

    newer = services.register_version(model=version.model, purposes=list(version.purposes.all()), actor="test")
    _become(newer, "approved")

    assert "Basket, version 2 takes over." in officer.get(_page(version, "retire")).content.decode()


def test_several_versions_are_suspended_from_the_list(officer, version):
    _become(version, "approved")

    officer.post(
        "/admin/model_registry/modelversion/", {"action": "suspend", "_selected_action": [version.pk]}, follow=True
    )

    assert _status(version) == "suspended"


def test_what_a_version_may_serve_is_edited_audited_and_in_force(officer, version, send):
    newsletter = Purpose.objects.get(slug="newsletter")

    answer = send(_page(version), purposes=[newsletter.pk], max_level="segment")

    assert answer.status_code == 302
    model = loading.loaded(ActiveBundle.objects.get().bundle_id).data["models"]["basket@1"]
    assert (model["purposes"], model["max_level"]) == (["newsletter"], "segment")
    assert AuditEvent.objects.get(action="model.changed").details == {
        "purposes": ["newsletter"],
        "max_level": "segment",
    }


def test_versions_come_from_training_and_are_never_deleted(officer, version):
    assert officer.get("/admin/model_registry/modelversion/add/").status_code == 403
    assert officer.post(f"/admin/model_registry/modelversion/{version.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ModelVersion.objects.filter(pk=version.pk).exists()


def test_a_credential_is_revoked_after_it_was_said_what_that_means(officer, register_in_force):
    _token, credential = credentials.create_credential(name="shop", scopes=["decisions"], actor="test")
    path = f"/admin/policies/servicecredential/{credential.pk}/revoke/"

    said = officer.get(path).content.decode()
    assert "The service is refused from its very next request on." in said
    assert ServiceCredential.objects.get().is_valid

    officer.post(path)

    assert not ServiceCredential.objects.get().is_valid
    assert AuditEvent.objects.get(action="credential.revoked").actor == "officer:anna"
    assert officer.get(path).status_code == 403, "there is nothing left to revoke"
