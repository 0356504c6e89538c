"""Models whose engine runs elsewhere: registered by a service, released by officers, known to the next decision."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from model_registry import services
from model_registry.external import registration
from model_registry.external.bodies import RegisterBody
from model_registry.external.endpoints import checked
from model_registry.models import Evidence, Model, ModelVersion
from oversight.guard import writing
from policies.endpoints import credentials
from policies.models import ActiveBundle
from tests.conftest import Api
from tests.helpers import models
from tests.helpers.at_once import before_it_is_committed
from tests.helpers.registers import without_writer
from tests.helpers.wsgi_calls import changed

pytestmark = pytest.mark.django_db
PATH = "/api/v1/models/pricing/versions"
BODY = {
    "label": "2026-11-29",
    "name": "Pricing",
    "sha256": "5e" * 32,
    "endpoint": "https://engine.example.org/v2/score",
    "purposes": ["recommendations"],
    "max_level": "segment",
    "ndcg_at_10_per_mille": {"segment": 310},
    "states": {"segments": {"count": 3, "smallest": 25}, "has_fallback": True, "newest_data": "2026-11-20T00:00:00Z"},
}


def register(api: Api, **changes: Any) -> Any:
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
    return api.post(changes.pop("path", PATH), body)


def get(api: Api, path: str) -> Any:
    return api.client.get(path, headers={"Authorization": f"Bearer {api.token}"})


def other_service(scopes: tuple[str, ...] = ("models",)) -> Api:
    return Api(credentials.create_credential(name="other", scopes=scopes, actor="test")[0])


def test_a_version_is_registered_as_a_draft_and_a_repeat_changes_nothing(api: Api) -> None:
    first, again = register(api), register(api)

    assert (first.status_code, again.status_code) == (201, 200)
    document = first.json()
    assert (document["id"], document["status"], document["label"]) == ("pricing@1", "draft", "2026-11-29")
    assert (document["sha256"], document["endpoint"]) == (BODY["sha256"], BODY["endpoint"])
    assert (document["purposes"], document["max_level"]) == (["recommendations"], "segment")
    assert again.json() == document
    assert ModelVersion.objects.count() == 1
    assert AuditEvent.objects.filter(action="model.registered", actor="service:shop").count() == 1


def test_the_gates_ask_for_documents_and_believe_what_its_operator_states(api: Api) -> None:
    lines = {line["gate"]: line["state"] for line in register(api).json()["gates"]["lines"]}

    assert lines == {
        "card": "failed", "runbook": "failed", "dpia": "failed",
        "segments": "passed", "fallback": "passed", "quality": "passed",
    }  # fmt: skip
    assert set(Evidence.objects.values_list("kind", "made_by")) == {("stated", "service:shop")}


@pytest.mark.parametrize("change", [{"sha256": "6f" * 32}, {"endpoint": "https://other.example.org"}, {"sha256": None}])
def test_a_label_never_stands_for_another_file(api: Api, change: dict[str, Any]) -> None:
    register(api)

    answer = register(api, **change)

    assert (answer.status_code, answer.json()["code"]) == (409, "version_differs")
    assert ModelVersion.objects.get().artifact_sha256 == BODY["sha256"]


def test_numbers_go_on_and_a_version_inherits_nothing(api: Api) -> None:
    register(api)
    models.take(ModelVersion.objects.get(), "retired")

    second = register(api, label="next", purposes=None, max_level=None, states=None).json()

    assert second["id"] == "pricing@2"
    assert (second["purposes"], second["max_level"]) == ([], "none")
    assert {line["state"] for line in second["gates"]["lines"] if line["gate"] == "fallback"} == {"failed"}


def test_a_change_touches_only_what_it_names(api: Api) -> None:
    register(api)

    changed = api.post(f"{PATH}/1", {"max_level": "none"}, method="patch")

    assert changed.status_code == 200
    document = changed.json()
    assert document["max_level"] == "none"
    assert (document["endpoint"], document["purposes"]) == (BODY["endpoint"], ["recommendations"])
    assert api.post(f"{PATH}/1", {"purposes": []}, method="patch").json()["purposes"] == []
    assert register(api).status_code == 200  # the registration itself is still known
    assert api.post(f"{PATH}/1", {}, method="patch").status_code == 200
    assert AuditEvent.objects.filter(action="model.changed").count() == 2


@pytest.mark.parametrize("change", [{"sha256": "6f" * 32}, {"endpoint": None}, {"label": "x"}, {"status": "live"}])
def test_what_a_version_is_cannot_be_changed(api: Api, change: dict[str, Any]) -> None:
    register(api)

    assert api.post(f"{PATH}/1", change, method="patch").status_code == 400


def test_what_left_the_draft_is_changed_by_officers_only(api: Api) -> None:
    register(api)
    models.take(ModelVersion.objects.get(), "in_review")

    answer = api.post(f"{PATH}/1", {"max_level": "individual"}, method="patch")

    assert (answer.status_code, answer.json()["code"]) == (409, "version_frozen")
    assert ModelVersion.objects.get().max_level == "segment"


def test_an_assessment_is_of_the_address_at_which_the_engine_answers(api: Api) -> None:
    register(api)
    version = models.with_evidence(ModelVersion.objects.get())
    assert {line["gate"]: line["state"] for line in get(api, f"{PATH}/1").json()["gates"]["lines"]}["dpia"] == "passed"

    answer = api.post(f"{PATH}/1", {"endpoint": "https://elsewhere.example.net/score"}, method="patch").json()

    assert {line["gate"]: line["state"] for line in answer["gates"]["lines"]}["dpia"] == "failed"
    with pytest.raises(services.GatesNotPassed):
        models.take(version, "approved")


def test_another_service_adds_nothing_to_a_model_and_changes_nothing(api: Api) -> None:
    register(api)
    other = other_service()

    answers = [
        register(other, label="theirs"),
        other.post(f"{PATH}/1", {"max_level": "none"}, method="patch"),
        other.post(f"{PATH}/1/evidence", {"has_fallback": False}),
        other.post(f"{PATH}/1/documents", {"content": "{}"}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "model_of_others")}
    assert get(other, f"{PATH}/1").status_code == 404
    assert get(other, "/api/v1/models").json()["models"] == []


def test_the_names_of_engines_here_are_not_for_others(api: Api) -> None:
    services.register_model("basket", name="Basket", description="")
    ours = services.register_version(model=Model.objects.get(), purposes=[], actor="test")

    for slug in ("house-recommender", "basket"):
        answer = api.post(f"/api/v1/models/{slug}/versions", BODY)
        assert (answer.status_code, answer.json()["code"]) == (409, "model_of_others")
    assert list(ModelVersion.objects.all()) == [ours]
    register(api)
    with pytest.raises(services.ModelOfOthers):
        services.register_model("pricing", name="Pricing", description="")


def test_an_entry_that_officers_made_is_of_its_first_registrant(api: Api) -> None:
    services.register_model("pricing", name="Prices", description="By officers.")

    assert register(api).status_code == 201
    assert register(other_service(), label="x").status_code == 409
    assert Model.objects.get().name == "Prices"


@pytest.mark.django_db(transaction=True)
def test_of_two_services_at_once_the_first_registrant_keeps_the_entry(register_in_force: None) -> None:
    with writing("training"):
        Model.objects.create(slug="pricing", name="Pricing", description="")

    def by(service: str) -> Callable[[], object]:
        return lambda: registration.register("pricing", RegisterBody(**BODY), actor=service)

    assert before_it_is_committed(by("service:one"), by("service:two")) == "model_of_others"

    assert Model.objects.get(slug="pricing").registrant == "service:one"


def test_another_scope_is_not_enough(register_in_force: None) -> None:
    other = other_service(("events", "registers"))

    assert register(other).status_code == 403
    assert get(other, "/api/v1/models").status_code == 403
    assert register(Api("nonsense")).status_code == 401


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"label": ""}, "label"),
        ({"label": "a b"}, "label"),
        ({"sha256": None, "endpoint": None}, "body"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"sha256": "5e" * 20}, "sha256"),
        ({"endpoint": "http://engine.example.org"}, "endpoint"),
        ({"endpoint": "https://user:pw@engine.example.org"}, "endpoint"),
        ({"endpoint": "https://engine.example.org/?token=x"}, "endpoint"),
        ({"endpoint": "https://engine.example.org/#token"}, "endpoint"),
        ({"endpoint": " https://engine.example.org"}, "endpoint"),
        ({"endpoint": "https://:443/score"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"purposes": ["nothing"]}, "purposes"),
        ({"max_level": "total"}, "max_level"),
        ({"ndcg_at_10_per_mille": {"segment": 1001}}, "ndcg_at_10_per_mille.segment"),
        ({"states": {}}, "states"),
        ({"unknown": 1}, "?"),
    ],
)
def test_a_wrong_registration_is_refused_with_its_member(api: Api, change: dict[str, Any], member: str) -> None:
    answer = register(api, **change)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert member in answer.json()["errors"]
    assert not Model.objects.exists()


@pytest.mark.parametrize("slug", ["Pricing", "-pricing", "p" * 65])
def test_a_name_of_another_form_is_refused(api: Api, slug: str) -> None:
    assert api.post(f"/api/v1/models/{slug}/versions", BODY).status_code == 400
    assert not Model.objects.exists()


@pytest.mark.parametrize(
    ("url", "stands"),
    [
        ("https://engine.example.org", True), ("https://engine.internal:8443/v1", True), ("https://8.8.8.8/x", True),
        ("https://127.0.0.1/", False), ("https://10.0.0.1", False), ("https://[::1]/", False),
        ("https://[::ffff:10.0.0.1]/", False), ("https://localhost/", False), ("https://a.localhost/", False),
        ("https://2130706433/", False), ("https://0x7f000001/", False), ("https://0177.0.0.1/", False),
        ("https://127.1/", False), ("https://localhost./", False), ("file:///etc/passwd", False),
        ("https://a.example.org/#x", False), ("https://a.example.org/?", False), ("https://exämple.org", False),
        ("javascript:alert(1)", False), ("https:///x", False), ("https://a.example.org:x/", False),
    ],
)  # fmt: skip
def test_an_endpoint_is_an_address_outside(url: str, stands: bool) -> None:
    if stands:
        assert checked(url) == url
    else:
        with pytest.raises(ValueError, match=r"https|network|host"):
            checked(url)


def test_documents_come_by_the_api_and_a_wrong_one_names_its_line(api: Api) -> None:
    register(api)
    readme = "---\nlicense: mit\n---\n# Pricing\n"

    kept = api.post(f"{PATH}/1/documents", {"form": "huggingface", "content": readme})
    refused = api.post(f"{PATH}/1/documents", {"form": "huggingface", "content": "---\na: 1\na: 2\n---\n"})

    assert (kept.status_code, kept.json()["revision"]) == (201, 1)
    assert "overview" in kept.json()["missing"]
    assert (refused.status_code, refused.json()["code"]) == (422, "document_refused")
    assert "line 3" in refused.json()["detail"]
    assert ModelVersion.objects.get().documents.count() == 1


def test_models_are_listed_with_their_versions(api: Api) -> None:
    register(api)
    register(api, label="next")

    document = get(api, "/api/v1/models").json()

    assert document["models"] == [
        {"slug": "pricing", "name": "Pricing", "description": "", "is_trained_here": False,
         "versions": ["pricing@2", "pricing@1"]}
    ]  # fmt: skip
    assert get(api, f"{PATH}/3").status_code == get(api, f"{PATH}/{2**40}").status_code == 404


def test_it_is_released_like_any_other_and_the_next_decision_knows_it(api: Api) -> None:
    register(api, max_level="behavioral")
    api.save("customer-1", "give")
    before = ActiveBundle.objects.get().bundle_id

    def decide() -> Any:
        document = api.evaluate(changed("resource.properties.model", "pricing@1"))[1]
        reasons = [reason["code"] for reason in document["context"]["reasons"]]
        return document["decision"], document["context"]["level"], reasons

    assert decide()[2] == ["model_unknown", "level_capped_by_model"]
    assert ActiveBundle.objects.get().bundle_id == before
    version = models.go_live(ModelVersion.objects.get())
    assert decide() == (True, "behavioral", ["level_capped_by_model"])

    models.take(version, "suspended")
    assert decide()[0] is False
    assert "model_not_live" in decide()[2]


def test_what_a_version_is_known_by_has_no_other_writer(api: Api) -> None:
    register(api)

    with without_writer(), pytest.raises(DatabaseError, match="changed by a change set"), transaction.atomic():
        ModelVersion.objects.update(endpoint="https://elsewhere.example.org")
    with pytest.raises(DatabaseError, match="model_registry_label"), transaction.atomic(), writing("test"):
        ModelVersion.objects.create(model=Model.objects.get(), version=7, label="2026-11-29")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("model", "register", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_registers_by_file_and_a_repeat_changes_nothing(register_in_force: None, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    arguments = ("pricing", "--label", "r1", "--file", str(file), "--purpose", "recommendations", "--level", "segment")

    assert run(*arguments) == "pricing@1: registered as a draft.\n"
    assert run(*arguments) == "pricing@1: registered already, nothing is changed.\n"

    file.write_bytes(b"other weights")
    with pytest.raises(CommandError, match="Give it another label") as refused:
        run(*arguments)
    assert refused.value.returncode == 1
    version = ModelVersion.objects.get()
    assert (version.model.registrant, version.max_level, len(version.artifact_sha256)) == ("operator", "segment", 64)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("--label", "x"), "sha256"), (("--label", "x", "--endpoint", "http://a.example"), "https"),
     (("--label", "x", "--file", "/nowhere"), "cannot be read"),
     (("--label", "x", "--sha256", "5e" * 32, "--purpose", "none-such"), "not in the register")],
)  # fmt: skip
def test_the_command_says_what_is_wrong(register_in_force: None, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("pricing", *arguments)
    assert not Model.objects.exists()


def test_a_registration_needs_no_more_than_its_label_and_one_identity() -> None:
    assert RegisterBody.model_validate({"label": "x", "endpoint": "https://a.example.org"}).max_level == "none"


def test_its_page_shows_where_it_runs_and_links_nowhere(api: Api, admin_client: Any) -> None:
    register(api)

    page = admin_client.get(f"/admin/model_registry/modelversion/{ModelVersion.objects.get().pk}/change/")

    text = page.content.decode()
    assert "https://engine.example.org/v2/score" in text
    assert 'href="https://engine.example.org' not in text
    assert "2026-11-29, registered by" in text
