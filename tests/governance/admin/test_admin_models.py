"""Approving, suspending and retiring a model, and revoking a credential: said first, done after."""

import pytest
from django.contrib import admin
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from consent.models import Purpose
from model_registry import services
from model_registry.models import GateDemand, Model, ModelVersion
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused
from policies.bundles import loading
from policies.endpoints import credentials
from policies.models import ActiveBundle, ServiceCredential
from tests.helpers import models
from tests.helpers.registers import second_newest, without_writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force):
    GateDemand.objects.update(is_active=False)
    model = Model.objects.create(slug="basket", name="Basket")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def _page(version, step=""):
    return f"/admin/model_registry/modelversion/{version.pk}/{step or 'change'}/"


def _status(version):
    version.refresh_from_db()
    return version.status


def _status_in_force():
    return loading.loaded(ActiveBundle.objects.get().bundle_id).data["models"].get("basket@1", {}).get("status")


def _become(version, *steps):
    for status in steps:
        models.take(version, status)


@pytest.mark.parametrize(
    ("steps", "offered"),
    [
        ([], ["submit", "retire"]),
        (["in_review"], ["take-back", "approve", "retire"]),
        (["approved"], ["make-live", "extend", "retire"]),
        (["live"], ["extend", "suspend", "retire"]),
        (["suspended"], ["extend", "resume", "retire"]),
        (["retired"], []),
    ],
)
def test_the_page_offers_only_the_steps_that_are_possible(officer, version, steps, offered):
    _become(version, *steps)

    page = officer.get(_page(version)).content.decode()

    steps = ("submit", "take-back", "approve", "make-live", "extend", "suspend", "resume", "retire")
    assert [step for step in steps if f"{version.pk}/{step}" in page] == offered


def test_what_will_happen_is_said_before_and_nothing_has_happened_yet(officer, version):
    _become(version, "live")

    page = officer.get(_page(version, "suspend")).content.decode()

    assert "Suspend Basket, version 1?" in page
    assert "It serves: Recommendations." in page
    assert "everybody gets the general list" in page
    assert _status(version) == "live"


@pytest.mark.parametrize(
    ("before", "step", "after", "in_force"),
    [
        (["approved"], "make-live", "live", "live"),
        (["live"], "suspend", "suspended", "suspended"),
        (["live"], "retire", "retired", "retired"),
    ],
)
def test_confirming_does_it_in_the_officers_name(officer, version, before, step, after, in_force):
    _become(version, *before)

    answer = officer.post(_page(version, step), follow=True)

    assert answer.redirect_chain == [(_page(version), 302)]
    assert f"is {after} from the next decision on." in answer.content.decode()
    assert (_status(version), _status_in_force()) == (after, in_force)
    assert AuditEvent.objects.filter(action=f"model.{after}").first().actor == "officer:anna"


@pytest.mark.parametrize("step", ["submit", "approve", "make-live", "suspend", "resume"])
def test_a_retired_version_stays_retired(officer, version, step):
    _become(version, "retired")

    assert officer.post(_page(version, step)).status_code == 403
    assert _status(version) == "retired"


def test_a_step_that_fails_is_explained_and_changes_nothing(officer, version):
    _become(version, "approved")
    version.purposes.clear()

    answer = officer.post(_page(version, "make-live"), follow=True)

    assert "Name at least one purpose this version may serve." in answer.content.decode()
    assert _status(version) == "approved"


def test_making_live_says_which_version_steps_back(officer, version):
    _become(version, "live")
    newer = services.register_version(model=version.model, purposes=list(version.purposes.all()), actor="test")
    _become(newer, "approved")

    said = officer.get(_page(newer, "make-live")).content.decode()

    assert "Version 1 steps back: it stays approved and can be made live again." in said


@pytest.mark.parametrize(
    ("before", "step", "after"), [("in_review", "approve", "approved"), ("suspended", "resume", "live")]
)
def test_what_lets_a_version_serve_takes_two(officer, version, before, step, after):
    _become(version, before)

    answer = officer.post(_page(version, step))

    change_set = ChangeSet.objects.latest("id")
    assert (answer.url, _status(version)) == (f"/admin/changes/{change_set.pk}/", before)
    second_newest()
    version.refresh_from_db()
    assert (version.status, version.approved_until > version.created_at.date()) == (after, True)
    assert AuditEvent.objects.filter(action=f"model.{after}").first().details["set"] == change_set.pk


def test_an_approval_without_its_gates_is_not_in_force(officer, version):
    _become(version, "in_review")
    GateDemand.objects.filter(slug="card").update(is_active=True)

    officer.post(_page(version, "approve"))

    [finding] = ChangeSet.objects.latest("id").findings
    assert (finding["is_error"], "Model card: there is none." in finding["detail"]) == (True, True)
    with pytest.raises(ChangeRefused):
        second_newest()


def test_the_page_shows_gates_documents_and_steps(officer, version):
    GateDemand.objects.filter(slug="card").update(is_active=True)

    page = officer.get(_page(version)).content.decode()

    for said in ("Model card: there is none.", "Data protection impact assessment", "Registered"):
        assert said in page


def test_several_versions_are_suspended_from_the_list(officer, version):
    _become(version, "live")

    officer.post(
        "/admin/model_registry/modelversion/", {"action": "suspend", "_selected_action": [version.pk]}, follow=True
    )

    assert _status(version) == "suspended"


def test_what_a_version_may_serve_is_in_force_once_seconded(officer, version, send):
    newsletter = Purpose.objects.get(slug="newsletter")

    answer = send(_page(version), purposes=[newsletter.pk], max_level="segment")

    assert answer.status_code == 302
    second_newest()
    version.refresh_from_db()
    assert ([each.slug for each in version.purposes.all()], version.max_level) == (["newsletter"], "segment")
    applied = AuditEvent.objects.get(action="changes.applied").details["changes"]
    assert applied == [
        {
            "register": "model_permissions",
            "key": "basket/1",
            "fields": {"purposes": [["recommendations"], ["newsletter"]], "max_level": ["individual", "segment"]},
        }
    ]


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
    event = AuditEvent.objects.get(action="changes.applied_protectively")
    assert (event.actor, event.details["changes"][0]["key"]) == ("officer:anna", "shop/1")
    assert officer.get(path).status_code == 403, "there is nothing left to revoke"


def test_what_a_version_may_do_is_changed_by_two_and_reviewed_again(officer, version, send):
    _become(version, "live")
    other = Purpose.objects.get(slug="newsletter")

    send(_page(version), purposes=[str(version.purposes.get().pk), str(other.pk)])

    assert (_status(version), version.purposes.count()) == ("live", 1)
    change_set = second_newest()
    assert (_status(version), version.purposes.count(), _status_in_force()) == ("in_review", 2, None)
    event = AuditEvent.objects.filter(action="model.sent_to_review").get()
    assert (event.object, event.details) == ("basket@1", {"before": "live", "set": change_set.pk})


def test_one_officer_may_let_a_version_do_less(officer, version, send):
    _become(version, "live")
    send(_page(version), max_level="none")
    change_set = ChangeSet.objects.get()

    officer.post(f"/admin/changes/{change_set.pk}/protective", {"seen": change_set.digest})

    assert (_status(version), version.max_level) == ("in_review", "none")


def test_a_retired_version_stays_retired_when_its_permissions_change(officer, version, send):
    _become(version, "retired")
    send(_page(version), max_level="none")
    second_newest()

    assert (_status(version), version.max_level) == ("retired", "none")
    assert not AuditEvent.objects.filter(action="model.sent_to_review").exists()


def test_an_entry_of_a_model_is_made_by_two(officer, register_in_force):
    form = {"name": "Churn", "slug": "churn", "description": "", "owner": "CRM", "trained_every": "day"}
    officer.post("/admin/model_registry/model/add/", form)
    assert not Model.objects.filter(slug="churn").exists()

    second_newest()

    assert Model.objects.get(slug="churn").owner == "CRM"


def test_training_and_status_write_past_change_sets_and_nothing_else(register_in_force):
    with without_writer():
        model = services.register_model("basket", name="Basket", description="")
        made = services.register_version(model=model, purposes=[Purpose.objects.get(slug="newsletter")], actor="test")
        services.change_status(version_id=made.pk, status="in_review", actor="officer:test")
        for change in (
            lambda: made.purposes.clear(),
            lambda: ModelVersion.objects.update(max_level="none"),
            lambda: ModelVersion.objects.update(status="live"),
        ):
            with pytest.raises(DatabaseError, match="changed by a change set"), transaction.atomic():
                change()


def test_every_column_that_can_be_sorted_names_one_field():
    """A list is sorted by a name or an expression; of several names Django makes an error once the column is chosen."""
    wrong = [
        (model.__name__, name)
        for model, shown in admin.site._registry.items()
        for name in shown.list_display
        if isinstance(getattr(getattr(shown, str(name), None), "admin_order_field", None), tuple | list)
    ]
    assert wrong == []
