"""What is read by a template is what the careful reading returns, to the last member; and who fills the templates."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example
from hypothesis import strategies as st

from policies.decisions.memo import MIB, Memo
from policies.decisions.questions import Question
from policies.endpoints import wsgi
from policies.endpoints.authzen import templates
from policies.endpoints.authzen.faults import Fault, read_as
from policies.endpoints.authzen.requests import ID_CHARACTERS, question_of, resource_type
from policies.endpoints.authzen.templates import Asked, Reader
from tests.helpers.scale import property_test
from tests.helpers.wsgi_calls import EVALUATIONS, assert_problem, call, changed, question

WORDS = st.sampled_from(
    ["a", "Z\u00fcrich 7", 'q"uote', "back\\slash", "\x00", "", " ", "null", "1.0", "x" * 600, ":", "\ud7ff"]
)
IDS = st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=20) | WORDS | st.text(max_size=5)
REGIONS = st.sampled_from(["DE", "US-CA", "de", "", 7, None])
SUBJECTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["data_subject", "user", " user ", "", None, 3]), "id": IDS | st.sampled_from([None, 5])},
    optional={"properties": st.fixed_dictionaries({}, optional={"region": REGIONS, "id": IDS, "type": IDS})},
)
ACTIONS = st.sampled_from(
    [{"name": "share"}, {"name": "contact", "properties": {"purpose": "newsletter"}}, {"name": ""}, {}, "share"]
)
RESOURCES = st.sampled_from(
    [
        {"type": "personalization", "id": "1"},
        {"type": "record", "id": "2", "properties": {"data_categories": ["a"]}},
        {},
    ]
)
CONTEXTS = st.sampled_from(
    [
        None, {}, {"signals": {}}, {"signals": {"tcf": "CPokAsAPokAsABEACBENC7CgAP_AAH_AAB5YAAAAAAAA.YAAAAAAAAAAA"}},
        {"signals": {"tcf_purposes": [3, 5]}, "channel": "email"}, {"min_revision": 4}, {"min_revision": 1e99},
        {"subject": {"id": "other"}, "processing_region": "eu-central"}, {"processing_region": "EU"},
    ]
)  # fmt: skip
QUESTIONS = st.fixed_dictionaries(
    {}, optional={"subject": SUBJECTS, "action": ACTIONS, "resource": RESOURCES, "context": CONTEXTS}
)
FORMATS = st.fixed_dictionaries(
    {
        "separators": st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]),
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, None, 1]),
    }
)


@pytest.fixture(autouse=True)
def no_templates():
    templates.TEMPLATES.clear()
    yield
    templates.TEMPLATES.clear()


def carefully(body: bytes) -> tuple[Any, ...]:
    document = wsgi.understood(body)
    return read_as(question_of, document), resource_type(document), document


def outcome(read: Any, body: bytes) -> Any:
    """What is read, or the words of the refusal."""
    try:
        found = read(body)
    except wsgi.Refused as refused:
        return refused.status, refused.detail
    if isinstance(found, Asked):
        templates.remember(found)
        return found.question, found.resource_type, found.document()
    return found


def with_id(body: bytes, before: str, after: str) -> bytes:
    """The same text with another id, written as JSON or as it is."""
    return body.replace(json.dumps(before).encode(), b'"%s"' % after.encode("utf-8", "surrogatepass"), 1)


@property_test(400, 40_000, document=QUESTIONS, form=FORMATS, others=st.lists(IDS, max_size=3), twice=st.booleans())
@example(document=question(), form={}, others=["b", 'c", "type": "x', "null"], twice=False)
@example(document=question(), form={}, others=["x" * 512, "x" * 513, "\u00fc", "\\u0041"], twice=False)
@example(document=question(), form={}, others=["b"], twice=True)
def test_reading_by_a_template_equals_careful_reading(document, form, others, twice):
    sent = json.dumps(document, **form).encode()
    if twice and sent.endswith(b"}"):
        sent = sent[:-1] + b', "subject": {"type": "user", "id": "again"}}'
    business_id = str((document.get("subject") or {}).get("id"))
    for body in (sent, sent, *(with_id(sent, business_id, other) for other in others)):
        assert outcome(templates.read, body) == outcome(carefully, body)


@property_test(300, 20_000, shared=QUESTIONS, subjects=st.lists(SUBJECTS | QUESTIONS, min_size=1, max_size=5))
def test_items_of_a_batch_are_read_as_questions_alone(shared, subjects):
    items = [{**shared, **({"subject": one} if "type" in one else one)} for one in subjects]
    reader = Reader()

    assert [read_as(reader.read, item) for item in items] == [read_as(question_of, item) for item in items]


@pytest.mark.parametrize(
    ("member", "other"),
    [
        ("action", {"name": "share", "properties": {"purpose": "newsletter"}}),
        ("resource", {"type": "record", "id": "home-feed"}),
        ("context", {"min_revision": 9}),
        ("subject", {"type": "user", "id": "anna"}),
        ("subject", {"type": "data_subject", "id": "anna", "properties": {"region": "FR"}}),
    ],
)
def test_an_items_own_member_counts(member, other):
    shared, reader = question("anna"), Reader()
    items = [shared, {**shared, member: other}, {**shared, "subject": question("bert")["subject"]}]

    assert [reader.read(item) for item in items] == [question_of(item) for item in items]
    assert question_of(items[0]) != question_of(items[1])


def sent(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def remembered() -> int:
    return len(templates.TEMPLATES)


def test_a_second_person_is_read_by_the_template(settings):
    templates.remember(templates.read(sent(question("anna"))))

    found = templates.read(sent(question("bert")))

    assert found.unseen is None
    assert remembered() == 1
    assert found.question == question_of(question("bert"))
    settings.PROCESSING_REGION = "us-east"
    assert templates.read(sent(question("bert"))).unseen is not None, "the reading depends on the setting"


@pytest.mark.parametrize(
    ("document", "is_kept"),
    [
        (question(), True),
        ({"action": {}, **question()}, False),  # not the subject first
        (question("Z\u00fcrich"), False),  # written with escapes
        (changed("context.signals", {"tcf": "CPok"}), False),  # it may be too old the next time
        (changed("action.name", ""), False),  # no question
        (changed("resource.id", "x" * 5_000), False),  # larger than usual
    ],
)
def test_only_usual_questions_become_templates(document, is_kept):
    templates.remember(templates.read(sent(document)))

    assert remembered() == is_kept


def test_a_fault_is_worded_by_careful_reading():
    templates.remember(templates.read(sent(question("anna"))))

    for business_id in ("null", "x" * (ID_CHARACTERS + 1), " "):
        anna, reader = question("anna"), Reader()
        reader.read(anna)
        item = {**anna, "subject": {**anna["subject"], "id": business_id}}
        fault = read_as(question_of, item)
        assert isinstance(fault, Fault)
        assert templates.read(sent(item)).question == read_as(reader.read, item) == fault


@pytest.mark.django_db
def test_a_caller_without_permission_leaves_no_template(shop_token):
    assert_problem(call(question(), f"assent_{'x' * 43}"), 401, "unauthenticated")
    assert remembered() == 0

    assert call(question(), shop_token).status == 200
    assert remembered() == 1


@pytest.mark.django_db
def test_a_template_answers_each_person_as_their_own(shop_token):
    """One with consent, one unknown and one whose id is none, each after the other and in a batch."""
    for person in ("customer-1", "nobody-knows-them", "customer-1", "null"):
        alone, batch = call(question(person), shop_token), {**question(), "evaluations": [{}, question(person)]}
        together = call(batch, shop_token, path=EVALUATIONS).json()["evaluations"][1]

        if person == "null":
            assert_problem(alone, 400, "invalid_request")
            assert together["context"]["error"]["message"] == alone.json()["detail"]
        else:
            assert alone.json()["decision"] is together["decision"] is (person == "customer-1")


def test_templates_hold_no_more_memory_than_they_say(monkeypatch):
    held: Memo[Any, Any] = Memo(MIB, templates._size_of)
    monkeypatch.setattr(templates, "TEMPLATES", held)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1_000):
            words = [f"{number}\u20ac{each}"[: 2 + number % 9] for each in range(number % 64)]
            templates.remember(templates.read(sent(changed("resource.properties.data_categories", words))))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert 50 < len(held) < 900
    assert MIB // 16 < grown <= MIB


def test_a_template_is_about_nobody():
    templates.remember(templates.read(sent(question("anna"))))

    ((_, template),) = templates.TEMPLATES.items()
    anna = question_of(question("anna"))
    assert isinstance(template.question, Question)
    assert anna.subject_ref != template.question.subject_ref
    assert template.about("anna") == anna
