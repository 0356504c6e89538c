"""The page "Edit" of a policy: experts type Rego, see what is wrong with it and where, and publish it."""

import re
from html import unescape

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit.models import AuditEvent
from common.postgres import advisory
from policies.authoring import checks, comparison, drafts
from policies.bundles import publishing
from policies.models import ActiveBundle, Policy, PolicyDraft

pytestmark = pytest.mark.django_db
LIMIT = "limit < requested_rank"


@pytest.fixture
def policy(register_in_force):
    return publishing.last_activation().policy


@pytest.fixture
def page(policy):
    return f"/admin/policies/policy/{quote(policy.pk)}/edit/"


@pytest.fixture
def send(officer, page, policy):
    """Send one file as the page showed it, with a button of the page."""

    def sending(name, text, *, follow=True, client=officer, seen=None, **buttons):
        files = _files(policy)
        fields = {"file": name, "text": text, "seen": seen or drafts.digest_of(files.get(name, "")), **buttons}
        return client.post(page, fields, follow=follow)

    return sending


def _files(policy):
    draft = PolicyDraft.objects.filter(policy=policy).first()
    return draft.files if draft else drafts.starting_files(policy)


def _text(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def _changed(policy):
    """The shipped reasons with one more."""
    text = policy.modules["reasons.rego"]
    return text.replace('"purpose_unknown": 1,', '"purpose_unknown": 1,\n\t"closed_for_stocktaking": 0,')


def test_the_page_shows_every_file_of_the_policy_with_its_tests_and_keeps_nothing_by_itself(officer, page, policy):
    shown = officer.get(f"{page}?file=levels.rego")

    for name in (*policy.modules, "levels_test.rego", "sample.json"):
        assert f'value="{name}"' in shown.content.decode()
    assert shown.context["text"] == policy.modules["levels.rego"]
    assert not PolicyDraft.objects.exists()


def test_the_draft_of_an_untouched_policy_passes_and_is_the_same_policy(send, policy):
    shown = send("levels.rego", policy.modules["levels.rego"].replace("\n", "\r\n"), do="check")

    assert "The draft passes" in _text(shown)
    assert re.search(r"\d\d tests hold in", _text(shown))
    assert PolicyDraft.objects.get().files == drafts.starting_files(policy)


def test_a_finding_names_file_line_column_and_rule_and_quotes_the_line(send, policy):
    text = policy.modules["levels.rego"].replace(LIMIT, f"{LIMIT} + 0.5")
    line = next(number for number, words in enumerate(text.split("\n"), 1) if "0.5" in words)
    column = text.split("\n")[line - 1].index("0.5") + 1

    shown = send("levels.rego", text, do="check")

    assert f"levels.rego, line {line}, column {column}" in _text(shown)
    assert f'name="open" value="levels.rego:{line}"' in shown.content.decode()
    assert "<code>number</code>" in shown.content.decode()
    assert f"{LIMIT} + 0.5" in _text(shown).split("Files")[0]
    assert shown.context["findings"][0]["mark"] == " " * (column - 1) + "^"
    assert not Policy.objects.exclude(author=publishing.SYSTEM).exists()


def test_a_test_that_does_not_hold_is_found_where_it_stands(send, policy):
    text = _files(policy)["levels_test.rego"].replace("decision.lowest_rank == 0", "decision.lowest_rank == 4")

    shown = send("levels_test.rego", text, do="check")

    found = shown.context["findings"][0]["finding"]
    assert (found.path, found.rule) == ("levels_test.rego", "test")
    assert text.split("\n")[found.line - 1].startswith("test_")


@pytest.mark.parametrize(
    ("name", "text", "line", "column"),
    [
        ("sample.json", '{\n  "purposes": nothing\n}', 2, 15),
        ("data.json", '{"a": 1,\n}', 2, 1),
    ],
)
def test_what_cannot_be_read_is_a_finding_with_its_place(send, name, text, line, column):
    send(name, text, do="check")

    found = [row for row in PolicyDraft.objects.get().report["findings"] if row["path"] == name]
    assert found
    assert (found[0]["line"], found[0]["column"]) == (line, column)


def test_what_the_engine_cannot_compile_is_a_finding_with_its_place(send, policy):
    text = policy.modules["levels.rego"].replace(LIMIT, "limit < < requested_rank")

    shown = send("levels.rego", text, do="check")

    found = shown.context["findings"][0]["finding"]
    assert (found.path, found.rule) == ("levels.rego", "engine")
    assert "< <" in text.split("\n")[found.line - 1]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('x if http.send({"method": "get", "url": "http://localhost"}).status_code == 200', "builtin"),
        ("f(x) := f(x)\n\nx if f(1)", "recursion"),
        ('x if regex.match("(a{100}){100}{100}{100}", input.action)', "regex"),
        ("x := " + "(" * 2000 + "1" + ")" * 2000, "nesting"),
    ],
)
def test_hostile_rego_is_a_finding_and_the_service_stays_up(officer, send, page, body, rule):
    metadata = "# METADATA\n# title: T\n# description: D\n# entrypoint: true"
    text = f"package governance.hostile\n\n{metadata}\nanswer if x\n\n{body}\n"

    shown = send("levels.rego", text, do="check")

    assert rule in {row["finding"].rule for row in shown.context["findings"]}
    assert officer.get(page).status_code == 200


def test_rego_that_never_ends_is_ended_and_said_so(send, monkeypatch):
    monkeypatch.setattr(checks, "TIMEOUT_S", 0.01)

    shown = send("levels.rego", "package governance.decision\n", do="check")

    assert "did not come to an end" in _text(shown)


def test_what_is_too_large_is_refused_in_a_sentence(officer, send, page):
    answer = send("levels.rego", "a" * 1024 * 1024, do="check")

    assert answer.status_code == 413
    assert "larger than 256 KiB" in _text(answer)
    assert not PolicyDraft.objects.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "Levels.rego", "a.txt", "<script>.rego", ""])
def test_a_file_of_an_odd_name_is_refused_in_a_sentence_and_what_was_typed_stays(send, policy, name):
    answer = send("levels.rego", "package typed", do="add", new_name=name) if name else send("", "package typed")

    assert answer.status_code == 422
    assert "a file's name is lower-case letters" in _text(answer)
    assert name == "" or _files(policy)["levels.rego"] == "package typed"


def test_a_text_with_nul_is_refused_and_changes_no_file(send, policy):
    answer = send("levels.rego", "package typed\0", do="check")

    assert answer.status_code == 422
    assert _files(policy)["levels.rego"] == policy.modules["levels.rego"]


def test_data_with_a_character_the_database_cannot_hold_is_a_finding(send):
    shown = send("data.json", '{"a": "\\u0000"}', do="check")

    assert "cannot be stored" in _text(shown)


def test_going_to_another_file_keeps_what_was_typed(send, policy):
    shown = send("levels.rego", "package typed\n", open="reasons.rego:3")

    assert shown.context["here"] == "reasons.rego"
    assert "You asked for line 3." in _text(shown)
    assert _files(policy)["levels.rego"] == "package typed\n"


def test_the_first_line_break_of_a_text_survives_the_page(officer, send, page):
    send("levels.rego", "\n\npackage typed\n")

    shown = officer.get(f"{page}?file=levels.rego").content.decode()

    assert ">\n\n\npackage typed\n</textarea>" in shown


def test_the_latest_wins_and_what_it_overwrote_is_shown(send, policy):
    first = drafts.digest_of(policy.modules["levels.rego"])
    send("levels.rego", "package one\n", seen=first)

    shown = send("levels.rego", "package two\n", seen=first, do="check")

    assert "had been changed in another window" in _text(shown)
    assert "-package one" in _text(shown)
    assert _files(policy)["levels.rego"] == "package two\n"
    assert PolicyDraft.objects.get().report is None, "nothing else is done until the officer has seen it"


def test_a_long_text_is_compared_without_searching_for_the_shortest_way():
    before, after = [str(n % 105) for n in range(20_000)], [str(-n % 105) for n in range(20_000)]

    lines = list(comparison.rego_differences({"a.rego": "\n".join(before)}, {"a.rego": "\n".join(after)}))

    assert lines[:4] == ["--- a/a.rego", "+++ b/a.rego", "@@ -2,19999 +2,19999 @@", "-1"]
    assert len(lines) == 3 + 2 * 19_999


def test_a_long_text_with_one_line_changed_shows_that_line():
    before = [str(n) for n in range(3_000)]
    after = [*before[:1_500], "changed", *before[1_501:]]

    lines = list(comparison.rego_differences({"a.rego": "\n".join(before)}, {"a.rego": "\n".join(after)}))

    assert lines[2:] == ["@@ -1501,1 +1501,1 @@", "-1500", "+changed"]


def test_a_file_is_added_and_removed(officer, send, page, policy):
    send("levels.rego", policy.modules["levels.rego"], do="add", new_name="extra_test.rego")
    assert "extra_test.rego" in _files(policy)

    send("extra_test.rego", "package governance.extra\n", do="remove")
    assert "extra_test.rego" in _files(policy), "asked first"
    officer.post(f"{page}?step=remove&file=extra_test.rego")

    assert "extra_test.rego" not in _files(policy)


def test_the_last_module_is_not_removed(officer, send, page, policy):
    send("levels.rego", "package typed\n")
    PolicyDraft.objects.update(files={"levels.rego": "package typed\n"})

    answer = officer.post(f"{page}?step=remove&file=levels.rego", follow=True)

    assert "A policy has at least one module." in _text(answer)
    assert "levels.rego" in _files(policy)


def test_a_draft_is_thrown_away_after_a_question(officer, send, page):
    send("levels.rego", "package typed\n", do="discard")
    assert PolicyDraft.objects.exists()

    officer.post(f"{page}?step=discard")

    assert not PolicyDraft.objects.exists()


def test_findings_older_than_the_draft_say_so(send, policy):
    send("levels.rego", policy.modules["levels.rego"].replace(LIMIT, f"{LIMIT} + 0.5"), do="check")

    shown = send("levels.rego", policy.modules["levels.rego"], open="levels.rego")

    assert "You have changed the draft since." in _text(shown)


def test_one_draft_is_checked_at_a_time(send, policy):
    with advisory.held(drafts._ONE_CHECK) as is_held:
        assert is_held
        answer = send("levels.rego", "package typed\n", do="check")

    assert "Another draft is being checked." in _text(answer)
    assert _files(policy)["levels.rego"] == "package typed\n"


@pytest.fixture
def reviewed(officer, send, page, policy):
    """A draft with one more reason, on the page that shows what changes."""
    return send("reasons.rego", _changed(policy), do="publish")


def _publish(officer, page, reviewed, **changes):
    fields = {"seen": reviewed.context["seen"], "note": "stocktaking", **changes}
    return officer.post(f"{page}?step=publish", fields, follow=True)


def test_publishing_shows_the_changes_first_then_stores_the_policy_and_puts_nothing_into_force(
    officer, page, reviewed, policy
):
    before = ActiveBundle.objects.get().bundle_id
    assert '+ "closed_for_stocktaking": 0,' in _text(reviewed)

    shown = _publish(officer, page, reviewed)

    made = Policy.objects.exclude(pk=policy.pk).get()
    assert (made.author, made.note, made.modules["reasons.rego"]) == ("officer:anna", "stocktaking", _changed(policy))
    assert made.tests.keys() >= {"levels_test.rego"}
    assert made.sample.keys() >= {"purposes"}
    assert made.checks["coverage"] >= 90
    assert ActiveBundle.objects.get().bundle_id == before
    assert AuditEvent.objects.filter(action="policy.published", object=made.digest, actor="officer:anna").exists()
    assert not PolicyDraft.objects.exists()
    assert shown.redirect_chain[-1][0] == f"/admin/policies/policy/{made.pk}/change/"
    hrefs = re.findall(r'href="([^"]+)"', shown.content.decode())
    assert {"edit", "simulate", "roll-out"} <= {href.rstrip("/").rpartition("/")[2] for href in hrefs}


def test_the_published_policy_is_one_click_from_its_simulation(officer, page, reviewed, policy):
    _publish(officer, page, reviewed)
    made = Policy.objects.exclude(pk=policy.pk).get()

    shown = officer.get(f"/admin/policies/policy/{quote(made.pk)}/simulate", follow=True)

    assert f'<option value="{made.pk}" selected' in shown.content.decode()


def test_the_next_edit_begins_with_the_sample_the_policy_was_tested_over(officer, send, page, policy):
    sample = _files(policy)["sample.json"]
    send("sample.json", sample.replace("{", '{"of_ours": 1, ', 1))
    _publish(officer, page, send("reasons.rego", _changed(policy), do="publish"))

    made = Policy.objects.exclude(pk=policy.pk).get()

    assert '"of_ours": 1' in drafts.starting_files(made)["sample.json"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"note": " "}, "Say in the note what changes"), ({"seen": "other"}, "The draft has changed since you looked")],
)
def test_without_a_note_or_a_look_at_the_changes_nothing_is_published(
    officer, page, reviewed, policy, changes, sentence
):
    shown = _publish(officer, page, reviewed, **changes)

    assert shown.status_code == 422
    assert sentence in _text(shown)
    assert not Policy.objects.exclude(pk=policy.pk).exists()
    assert PolicyDraft.objects.exists()


def test_what_does_not_pass_is_not_published_and_the_findings_are_shown(officer, page, send, policy):
    reviewed = send("levels.rego", policy.modules["levels.rego"].replace(LIMIT, f"{LIMIT} + 0.5"), do="publish")

    shown = _publish(officer, page, reviewed)

    assert "does not pass the checks" in _text(shown)
    assert {row["path"] for row in shown.context["findings"]} == {"levels.rego"}
    assert not Policy.objects.exclude(pk=policy.pk).exists()


def test_an_unchanged_draft_is_not_published_again(officer, page, send, policy):
    reviewed = send("levels.rego", policy.modules["levels.rego"], do="publish")

    shown = _publish(officer, page, reviewed)

    assert "published already" in _text(shown)


@pytest.mark.parametrize("data", ['{"limit": 0.5}', '{"revision": "x"}'])
def test_data_the_policy_may_not_have_is_refused_in_a_sentence(officer, page, send, policy, data):
    send("reasons.rego", _changed(policy))

    shown = _publish(officer, page, send("data.json", data, do="publish"))

    assert shown.status_code == 422
    assert "data.json may" in _text(shown)
    assert not Policy.objects.exclude(pk=policy.pk).exists()


def test_a_draft_is_its_authors_alone(officer, send, page):
    send("levels.rego", "package annas\n")
    berta = Client()
    berta.force_login(User.objects.create_superuser("berta", password="a long password"))

    assert "package annas" not in berta.get(f"{page}?file=levels.rego").content.decode()


def _clerk(*permissions):
    clerk = User.objects.create_user("clerk", password="a long password", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(clerk)
    return client


def test_who_may_only_look_neither_edits_nor_checks_nor_publishes(page, send, policy):
    clerk = _clerk("view_policy", "add_policyactivation")

    answers = [
        clerk.get(page),
        send("levels.rego", "package typed\n", client=clerk),
        send("levels.rego", "package typed\n", client=clerk, do="check"),
        clerk.get(f"{page}?step=publish"),
        clerk.post(f"{page}?step=publish", {"note": "x", "seen": "x"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert not PolicyDraft.objects.exists()
    assert "/edit" not in clerk.get(f"/admin/policies/policy/{quote(policy.pk)}/change/").content.decode()


def test_who_may_publish_needs_no_more_than_that(page, send):
    clerk = _clerk("view_policy", "add_policy")

    assert send("levels.rego", "package typed\n", client=clerk).status_code == 200
    assert PolicyDraft.objects.get().account == User.objects.get(username="clerk").pk


def test_draft_stays_its_authors_who_is_renamed(page, send):
    clerk = _clerk("view_policy", "add_policy")
    send("levels.rego", "package typed\n", client=clerk)

    User.objects.filter(username="clerk").update(username="clerk2")

    assert "package typed" in clerk.get(f"{page}?file=levels.rego").content.decode()
    send("levels.rego", "package typed_again\n", client=clerk)
    assert PolicyDraft.objects.get().files["levels.rego"] == "package typed_again\n"


@pytest.mark.parametrize("before", ["renamed", "deleted"])
def test_draft_is_not_handed_to_who_has_the_name_next(page, send, before):
    send("levels.rego", "package typed\n", client=_clerk("view_policy", "add_policy"))
    former = User.objects.filter(username="clerk")
    former.update(username="clerk2") if before == "renamed" else former.delete()

    other = _clerk("view_policy", "add_policy")

    assert "package typed" not in other.get(f"{page}?file=levels.rego").content.decode()
    send("levels.rego", "package another\n", client=other)
    assert {draft.files["levels.rego"] for draft in PolicyDraft.objects.all()} == {
        "package typed\n",
        "package another\n",
    }


def test_nothing_is_taken_from_another_site_or_from_nobody(officer, page, policy):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(username="anna"))

    assert careful.post(page, {"file": "levels.rego", "text": "x", "do": "save"}).status_code == 403
    assert careful.post(f"{page}?step=publish", {"note": "x"}).status_code == 403
    assert Client().post(page, {"file": "levels.rego"}).status_code == 302
    assert not PolicyDraft.objects.exists()
