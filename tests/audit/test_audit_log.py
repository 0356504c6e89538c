"""The audit log for officers: filters, pages, folding, before and after, and exports with proof."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import signing, trail
from audit.exports import writing
from audit.exports.writing import Written
from audit.jws import NotGenuine
from audit.log import export
from audit.log.filters import ANY_OFFICER, PAGE, Filter, events, known_actions, known_actors
from audit.log.folding import fold
from audit.log.verifying import verify_export
from audit.models import AuditEvent
from common.admin_pages.log_filters import BadFilter
from common.identifiers import uuid7_floor
from common.merkle import MerkleTree, merkle_path, merkle_root, root_from_path
from common.spreadsheet import safe_cell
from tests.helpers.officers import signed_in, with_role
from tests.helpers.past_events import event_at
from tests.helpers.registers import second_newest
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/auditevent/"
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
REF = "019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f"


@pytest.fixture
def week(register_in_force: None) -> None:
    event_at("rule.changed", "residencyrule eea-in-us", "officer:ben", TUESDAY - timedelta(days=1), note="a")
    event_at("purpose.changed", "order_fulfilment", "officer:ben", TUESDAY, actions=["contact"])
    event_at("rule.changed", "jurisdiction eu-gdpr", "officer:anna", TUESDAY + timedelta(hours=11, minutes=59))
    event_at("consent.given", REF, "service:shop", TUESDAY)
    event_at("rule.deleted", "residencyrule eea-in-us", "officer:ben", TUESDAY + timedelta(hours=12))


def _found(**chosen: str) -> list[str]:
    return [event.object for event in events(Filter(**chosen)) if event.occurred_at < TUESDAY + timedelta(days=2)]


# Filters


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("chosen", "objects"),
    [
        (
            {"start": "2026-11-24", "end": "2026-11-24"},
            [REF, "jurisdiction eu-gdpr", "order_fulfilment"],
        ),
        ({"start": "2026-11-24", "end": "2026-11-24", "actor": "officer:ben"}, ["order_fulfilment"]),
        ({"end": "2026-11-23"}, ["residencyrule eea-in-us"]),
        ({"kind": "rule", "end": "2026-11-24"}, ["jurisdiction eu-gdpr", "residencyrule eea-in-us"]),
        ({"kind": "rule.deleted"}, ["residencyrule eea-in-us"]),
        ({"q": "eea in us"}, ["residencyrule eea-in-us", "residencyrule eea-in-us"]),
        ({"q": "Jurisdiction EU"}, ["jurisdiction eu-gdpr"]),
        ({"q": "order_ful", "actor": "officer:ben"}, ["order_fulfilment"]),
        ({"q": REF}, [REF]),
        ({"q": "019c1a5e"}, []),
        ({"object": "jurisdiction eu-gdpr"}, ["jurisdiction eu-gdpr"]),
        ({"object": "jurisdiction"}, []),
        ({"start": "1960-01-01", "end": "1960-01-02"}, []),
        ({"start": "9990-01-01"}, []),
    ],
)
def test_filters_find_who_changed_what_and_when(chosen: dict[str, str], objects: list[str]) -> None:
    assert sorted(_found(**chosen)) == sorted(objects)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"digest__gt": "a"}, "There is no filter “digest__gt”"),
        ({"start": "tuesday"}, "“tuesday” is no date"),
        ({"end": "2026-02-30"}, "“2026-02-30” is no date"),
        ({"since": "ever"}, "“ever” is no span"),
        ({"before": "1 OR 1=1"}, "identifier of an entry"),
        ({"q": "!!!"}, "Search for words"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(officer: Client, given: dict[str, str], message: str) -> None:
    with pytest.raises(BadFilter, match=message[:20]):
        events(Filter.of(given))

    page = officer.get(LIST, given)
    assert page.status_code == 400
    assert message in page.content.decode()
    assert officer.get(reverse("admin:audit_auditevent_export", args=["csv"]), given).status_code == 400


def test_hostile_words_are_only_words(week: None) -> None:
    for text in ("') | (x", "a & !b", "eea:*|in", "\\", "'' OR ''", "x" * 200):
        try:
            list(events(Filter(q=text))[:1])
        except BadFilter:
            continue


def test_every_kind_and_actor_there_is_can_be_chosen(officer: Client, week: None) -> None:
    page = officer.get(LIST)

    assert {"rule.changed", "rule.deleted", "consent.given"} <= set(known_actions())
    assert {"officer:ben", "officer:anna", "service:shop"} <= set(known_actors())
    kinds = {kind for kind, _name in page.context["kinds"]}
    assert kinds == {action.partition(".")[0] for action in AuditEvent.objects.values_list("action", flat=True)}


def test_the_next_page_goes_on_where_this_one_ended(officer: Client, register_in_force: None) -> None:
    for number in range(PAGE + 5):
        trail.record("party.changed", f"party-{number:03}", actor="officer:zoe")
    first = officer.get(LIST, {"actor": "officer:zoe"})
    trail.record("party.changed", "party-new", actor="officer:zoe")

    second = officer.get(f"{LIST}?{first.context['older']}")

    shown = [member["number"] for page in (first, second) for group in page.context["groups"] for member in [group]]
    assert len(shown) == 2, "one actor repeats one action, so each page is one line"
    counts = [group["count"] for page in (first, second) for group in page.context["groups"]]
    assert counts == [PAGE, 5]
    assert second.context["older"] == ""


def test_the_list_costs_the_same_statements_with_more_events(officer: Client, sql: list[str]) -> None:
    def cost() -> list[str]:
        sql.clear()
        officer.get(LIST, {"start": "2026-01-01", "end": "2030-01-01", "kind": "party", "q": "party"})
        return list(sql)

    trail.record("party.changed", "party first", actor="officer:anna")
    cost()
    few = cost()
    for number in range(60):
        trail.record("party.changed", f"party {number}", actor=f"officer:o{number % 7}")
    many = cost()

    assert len(many) == len(few)
    assert not [statement for statement in many if "count(" in statement.lower() and "audit_auditevent" in statement]
    assert not [statement for statement in many if "OFFSET" in statement]


@scale("rows", small=4_000, long=1_000_000)
def test_filters_read_few_rows_of_a_long_log(register_in_force: None, rows: int) -> None:
    """Each node of each plan reads at most a few pages, however long the log is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_auditevent (code, occurred_at, action, actor, object, details, digest)
            SELECT (lpad(to_hex((extract(epoch from t) * 1000)::bigint), 12, '0') || '7000' || lpad(to_hex(n), 16, '8'))
                     ::uuid, t, CASE WHEN n %% 997 = 0 THEN 'party.changed' ELSE 'consent.given' END,
                   CASE WHEN n %% 991 = 0 THEN 'officer:rare' ELSE 'service:shop' END,
                   CASE WHEN n %% 997 = 0 THEN 'party rare-' || n ELSE gen_random_uuid()::text END, '{}', '\\x00'
            FROM (SELECT n, now() - interval '300 days' + n * (interval '290 days' / %s) AS t
                  FROM generate_series(1, %s) n) s""",
            [rows, rows],
        )
        cursor.execute("ANALYZE audit_auditevent")
        if rows < 100_000:
            cursor.execute("SET LOCAL enable_seqscan = off")  # so short a table is read whole otherwise
    day = (timezone.now() - timedelta(days=150)).date().isoformat()
    for chosen in (
        Filter(),
        Filter(actor="officer:rare"),
        Filter(kind="consent"),
        Filter(q="rare"),
        Filter(start=day, end=day, kind="consent"),
        Filter(before=str(uuid7_floor(timezone.now() - timedelta(days=200)))),
    ):
        assert _read(events(chosen)[: PAGE + 1]) <= max(4 * PAGE, rows // 60), chosen
    assert set(known_actors()) >= {"officer:rare", "service:shop"}


def _read(found: Any) -> int:
    """Return the most rows that one node of the plan reads."""
    text, params = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", params)
        plan = cursor.fetchone()[0]
    nodes = [(plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]]
    most = 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        most = max(most, node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return int(most)


# Folding


def _events(*names: tuple[str, str, str]) -> list[AuditEvent]:
    return [AuditEvent(action=action, actor=actor, object=about) for action, actor, about in names]


def test_what_an_actor_repeats_is_one_group() -> None:
    given = _events(
        ("consent.given", "service:shop", "a"),
        ("consent.given", "service:shop", "b"),
        ("rule.changed", "officer:anna", "r"),
        ("consent.given", "service:shop", "c"),
    )

    groups = fold(given)

    assert [(len(group.events), group.objects) for group in groups] == [(2, 2), (1, 1), (1, 1)]
    assert [event for group in groups for event in group.events] == given, "no event is left out"


def test_routine_events_fold_over_the_page_and_part_nothing() -> None:
    groups = fold(
        _events(
            ("evidence.head", "job:evidence", "decision_log"),
            ("consent.given", "service:shop", "a"),
            ("evidence.head", "job:evidence", "decision_log"),
            ("consent.given", "service:shop", "b"),
        )
    )

    assert [(group.newest.action, len(group.events)) for group in groups] == [
        ("evidence.head", 2),
        ("consent.given", 2),
    ]


# Before and after


def _changes(officer: Client, event: AuditEvent) -> str:
    page = officer.get(reverse("admin:audit_auditevent_change", args=[event.position])).content.decode()
    return " ".join(page[page.index("Before and after") : page.index("Digest")].split())


def test_an_event_that_says_before_and_after_is_shown_so(officer: Client, register_in_force: None) -> None:
    details = {"before": {"days": 365, "name": "<b>"}, "after": {"days": 1, "name": "<b>"}}
    trail.record("retention.changed", "newsletter", actor="officer:anna", details=details)

    shown = _changes(officer, AuditEvent.objects.filter(action="retention.changed").latest("position"))

    assert '<th scope="col">Before</th><th scope="col">After</th>' in shown
    assert "365" in shown
    assert "<b>" not in shown
    assert "Name" not in shown, "what stayed the same is not listed"


def test_an_event_without_before_is_compared_with_the_one_before(officer: Client, register_in_force: None) -> None:
    trail.record("party.changed", "p", actor="officer:anna", details={"role": "processor", "country": "DE"})
    trail.record("party.changed", "p", actor="officer:anna", details={"role": "processor", "country": "US"})

    shown = _changes(officer, AuditEvent.objects.filter(object="p").latest("position"))

    assert "Country" in shown
    assert "DE" in shown
    assert "US" in shown
    assert "Role" not in shown[: shown.index("Details")]


def test_a_change_set_in_force_shows_before_and_after(officer: Client, send: Any) -> None:
    from policies.models import TransferInstrument

    row = TransferInstrument.objects.get(slug="eu-uk-adequacy")
    send(reverse("admin:policies_transferinstrument_change", args=[row.pk]), name="Adequacy")

    second_newest()

    event = AuditEvent.objects.filter(action="changes.applied").latest("position")
    shown = officer.get(reverse("admin:audit_auditevent_change", args=[event.pk])).content.decode()
    shown = " ".join(re.sub("<[^>]+>", " ", shown).split())
    found = re.search(r"Transfer instrument eu-uk-adequacy.{0,90}", shown)
    assert found
    assert ": name Adequacy decision, EU to United Kingdom Adequacy" in found[0]


# Exports


def _download(officer: Client, form: str, **chosen: str) -> bytes:
    response = officer.get(reverse("admin:audit_auditevent_export", args=[form]), chosen)
    assert response.status_code == 200
    assert f'filename="audit-log.{form}"' in response["Content-Disposition"]
    return b"".join(response.streaming_content)


def test_an_export_with_proof_is_genuine(officer: Client, week: None, tmp_path: Path) -> None:
    data = _download(officer, "jsonl", kind="rule")

    found = verify_export(data)

    assert (found.sealed_events, found.unsealed_events, found.is_complete) == (3, 0, True)
    assert found.filters == {"kind": "rule"}
    file = tmp_path / "log.jsonl"
    file.write_bytes(data)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(signing.published_keys()))
    out = StringIO()
    call_command("verify_receipt", str(file), "--keys", str(keys), stdout=out)
    assert "3 events sealed in the audit trail, 0 not yet" in out.getvalue()
    assert "Signed by the trusted key" in out.getvalue()


def _other_detail(data: bytes) -> bytes:
    return data.replace(b"officer:ben", b"officer:eve", 1)


def _without_a_line(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([lines[0], *lines[2:]])


def _without_signature(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:-1])


def _twice(data: bytes) -> bytes:
    return data.replace(b'"filters"', b'"events": 9, "filters"', 1)


@pytest.mark.parametrize("spoil", [_other_detail, _without_a_line, _without_signature, _twice, lambda data: data[:40]])
def test_an_export_that_was_changed_is_not_genuine(officer: Client, week: None, tmp_path: Path, spoil: Any) -> None:
    data = spoil(_download(officer, "jsonl", kind="rule"))

    with pytest.raises(NotGenuine):
        verify_export(data)

    file = tmp_path / "log.jsonl"
    file.write_bytes(data)
    with pytest.raises(CommandError, match="NOT GENUINE"):
        call_command("verify_receipt", str(file))


def test_an_event_changed_in_the_database_does_not_lead_to_its_anchor(
    officer: Client, week: None, as_attacker: Any
) -> None:
    trail.anchor()
    as_attacker("UPDATE audit_auditevent SET actor = 'officer:eve' WHERE action = 'rule.deleted'")

    with pytest.raises(NotGenuine, match="does not match its digest"):
        verify_export(_download(officer, "jsonl", kind="rule"))


def test_a_csv_holds_no_formula_and_is_itself_an_event(officer: Client, register_in_force: None) -> None:
    trail.record("party.changed", "=cmd|calc", actor="@officer", details={"name": "=1+1"})

    text = _download(officer, "csv", object="=cmd|calc").decode()

    assert "'=cmd|calc" in text
    assert "'@officer" in text
    assert ",=" not in text
    begun, ended = AuditEvent.objects.filter(action__startswith="audit_log.").order_by("position")
    assert (begun.action, begun.actor) == ("audit_log.exported", "officer:anna")
    assert begun.details["filters"] == {"object": "=cmd|calc"}
    assert (ended.action, ended.details["events"]) == ("audit_log.export_written", 1)
    assert ended.details["sha256"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_beyond_its_limit_says_so_and_goes_on(
    officer: Client, week: None, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    whole = _download(officer, form, kind="rule")
    monkeypatch.setattr(Written, "has_room", property(lambda self: self.lines < 2))

    first = _download(officer, form, kind="rule")
    number = str(sorted(AuditEvent.objects.filter(action__startswith="rule.").values_list("position", flat=True))[1])
    rest = _download(officer, form, kind="rule", after=number)

    if form == "csv":
        assert f"NOT ALL: 2 lines are here. The next file is at the same address with &after={number}" in first.decode()
        assert b"NOT ALL" not in whole + rest
        assert [*first.splitlines()[1:3], *rest.splitlines()[1:]] == whole.splitlines()[1:]
    else:
        found = verify_export(first)
        assert (found.is_complete, found.sealed_events, found.goes_on_after) == (False, 2, number)
        found = verify_export(rest)
        assert (found.begins_after, found.is_complete, found.sealed_events) == (number, True, 1)
        assert verify_export(whole).begins_after == verify_export(first).begins_after == ""


def test_a_file_goes_on_after_a_number_only(officer: Client) -> None:
    url = reverse("admin:audit_auditevent_export", args=["csv"])

    assert officer.get(url, {"after": "1; DROP"}).status_code == 400


def test_an_export_reads_page_by_page(
    officer: Client, week: None, sql: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    sql.clear()

    assert len(_download(officer, "csv", kind="rule").splitlines()) == 4

    pages = [text for text in sql if "audit_auditevent" in text and "LIMIT 2" in text]
    assert len(pages) == 3, "two pages hold events, and the third one ends it"
    assert not [text for text in sql if "OFFSET" in text]


def test_files_of_the_first_form_stay_verifiable(week: None) -> None:
    """A file as releases until 0.9 wrote it: the head says how many events there are."""
    trail.anchor()
    found = list(AuditEvent.objects.filter(action__startswith="rule.").order_by("position"))
    entries = [
        {"position": event.position, "digest": bytes(event.digest).hex(), **proof}
        for event, proof in zip(found, trail.proven(found), strict=True)
    ]
    head = {
        "format": "assent-audit-export/1", "exported_at": "2026-11-24T12:00:00+00:00", "filters": {},
        "events": 3, "is_complete": False,
    }  # fmt: skip
    body = b"".join(map(writing.line, [head, *entries]))
    manifest = {"sha256": hashlib.sha256(body).hexdigest(), "head": {"sequence": 1, "digest": "00"}}
    data = body + writing.line({"jws": signing.sign(json.dumps(manifest).encode(), typ="assent-audit-export+jws")})

    found_again = verify_export(data)

    assert (found_again.sealed_events, found_again.is_complete) == (3, False)


def test_an_export_of_nothing_is_genuine(officer: Client, register_in_force: None) -> None:
    assert verify_export(_download(officer, "jsonl", object="none")).sealed_events == 0


def test_another_kind_of_file_is_not_found(officer: Client) -> None:
    assert officer.get(f"{LIST}export.exe").status_code == 404


def test_who_may_not_see_the_log_gets_neither_list_nor_file(register_in_force: None) -> None:
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_purpose"))
    browser = Client()
    browser.force_login(user)

    assert browser.get(LIST).status_code == 403
    assert browser.get(reverse("admin:audit_auditevent_export", args=["csv"])).status_code == 403


def test_an_auditor_has_list_page_and_files(week: None) -> None:
    browser = signed_in(with_role("vera", "auditor"))
    event = AuditEvent.objects.get(action="rule.deleted")

    assert browser.get(LIST).status_code == 200
    assert browser.get(f"{LIST}{event.position}/change/").status_code == 200
    assert verify_export(_download(browser, "jsonl", kind="rule")).sealed_events == 3


@pytest.mark.parametrize("path", ["", "export.csv", "export.jsonl", "{position}/change/"])
def test_marketing_has_none_of_it(week: None, path: str) -> None:
    browser = signed_in(with_role("mark", "marketing"))
    event = AuditEvent.objects.get(action="rule.deleted")

    assert browser.get(LIST + path.format(position=event.position)).status_code == 403
    assert not AuditEvent.objects.filter(action__startswith="audit_log.").exists()


def test_any_officer_leaves_out_services_and_jobs(officer: Client, week: None) -> None:
    day = {"start": "2026-11-24", "end": "2026-11-24"}

    assert sorted(_found(actor=ANY_OFFICER, **day)) == ["jurisdiction eu-gdpr", "order_fulfilment"]
    page = officer.get(LIST, {"actor": ANY_OFFICER, **day}).content.decode()
    assert f'<option value="{ANY_OFFICER}" selected>Any officer</option>' in page


def test_a_line_says_what_it_changed(officer: Client, register_in_force: None) -> None:
    changed = {"before": {"days": 365, "name": "<b>", "kept": 1}, "after": {"days": 1, "name": "", "kept": 1}}
    trail.record("retention.changed", "newsletter", actor="officer:zoe", details=changed)
    many = {"before": {}, "after": {f"member_{number}": "x" * 99 for number in range(9)}}
    trail.record("retention.made", "newsletter", actor="officer:zoe", details=many)

    page = officer.get(LIST, {"actor": "officer:zoe"})

    made, days = (group["changes"] for group in page.context["groups"])
    assert days[0] == ("Days", "365", "1")
    assert [name for name, _old, _new in days] == ["Days", "Name"]
    assert [name for name, _old, _new in made][-1] == "and 6 more"
    assert all(len(new) <= 60 for _name, _old, new in made)
    shown = " ".join(page.content.decode().split())
    assert "Days: <del>365</del> → <ins>1</ins>" in shown
    assert "&lt;b&gt;" in shown


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33])
def test_paths_of_many_leaves_are_those_of_each(count: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(count)]

    tree = MerkleTree(leaves)
    for index, path in enumerate(map(tree.path, range(count))):
        assert path == merkle_path(leaves, index)
        assert root_from_path(leaves[index], path) == merkle_root(leaves)


@pytest.mark.parametrize(("text", "cell"), [("=1", "'=1"), ("+1", "'+1"), ("a=1", "a=1"), ("", ""), ("\t", "'\t")])
def test_a_cell_is_no_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell
