"""Cards in the forms of others: what is read is written back without loss, what is wrong is refused with its line."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_registry.documents import cyclonedx, huggingface, toolkit
from model_registry.documents.card import ModelCard
from model_registry.documents.completeness import CHECKS, missing
from model_registry.documents.kinds import KINDS
from model_registry.documents.reading import read_yaml, written_yaml
from model_registry.documents.refusal import DocumentRefused

README = b"""---
# a comment
language:
- no
- en
license: apache-2.0
library_name: assent
pipeline_tag: tabular-regression
tags: [recommender, "on"]
datasets: [shop-events]
base_model: parent
own_member: {anything: [1, 2.50, ~, "yes"]}
model-index:
- name: house
  results:
  - task: {type: ranking, name: Ranking}
    dataset: {type: events, name: Shop, config: a, split: test, revision: r1, args: {k: 10}}
    metrics:
    - {type: ndcg, value: 0.21, name: nDCG, verified: false, verifyToken: t}
    - {type: ndcg, value: 0.19, name: nDCG at none, args: [10]}
    source: {name: Report, url: "https://example.org/report"}
  - task: {type: ranking}
    dataset: {type: events, name: Shop, config: a, split: test, revision: r1}
    metrics: [{type: recall, value: "0.50"}]
---

# House recommender

---
Not metadata.
"""
TOOLKIT = {
    "schema_version": "0.0.2",
    "model_details": {
        "name": "House", "overview": "Item to item.", "owners": [{"name": "Ada", "contact": "ada@example.org"}],
        "version": {"name": "3", "date": "2026-11-29", "diff": ""}, "licenses": [{"identifier": "MIT"}],
        "references": [{"reference": "https://example.org"}], "citations": [{"style": "apa", "citation": "Ada 2026"}],
    },
    "model_parameters": {
        "model_architecture": "EASE", "input_format": "items",
        "data": [{"name": "events", "link": "", "sensitive": {"sensitive_data": ["views"]}}],
        "output_format_map": [{"key": "list", "value": "ten items"}],
    },
    "quantitative_analysis": {
        "performance_metrics": [
            {"type": "ndcg", "value": "0.21", "slice": "women",
             "confidence_interval": {"lower_bound": "0.19", "upper_bound": "0.25"}},
            {"type": "ndcg", "value": "NaN", "slice": ""},
        ]
    },
    "considerations": {
        "users": [{"description": "The shop"}], "limitations": [{"description": ""}],
        "ethical_considerations": [{"name": "Bubbles", "mitigation_strategy": "MMR"}],
    },
}  # fmt: skip
BOM = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 4, "metadata": {"timestamp": "2026-11-29T00:00:00Z"},
    "components": [
        {"type": "library", "name": "numpy", "version": "2"},
        {"type": "data", "bom-ref": "events", "name": "events"},
        {"type": "machine-learning-model", "bom-ref": "m", "name": "house", "version": "3", "publisher": "Shop",
         "licenses": [{"license": {"id": "Apache-2.0"}}],
         "modelCard": {
             "modelParameters": {"approach": {"type": "supervised"}, "task": "ranking",
                                 "datasets": [{"ref": "events"}, {"type": "dataset", "name": "more"}],
                                 "inputs": [{"format": "items"}]},
             "quantitativeAnalysis": {"performanceMetrics": [{"type": "ndcg", "value": "0.21"}]},
             "considerations": {"fairnessAssessments": [{"groupAtRisk": "new sellers", "harms": "unseen"}],
                                "environmentalConsiderations": {"energyConsumptions": []}},
             "properties": [{"name": "own", "value": "kept"}]}},
    ],
}  # fmt: skip
FORMS = {
    "huggingface": (huggingface, README),
    "toolkit": (toolkit, json.dumps(TOOLKIT, indent=1).encode()),
    "cyclonedx": (cyclonedx, json.dumps(BOM, indent=1).encode()),
}
every_form = pytest.mark.parametrize("form", FORMS)


@every_form
def test_a_card_that_is_read_and_written_loses_nothing(form: str) -> None:
    module, data = FORMS[form]

    card = module.read(data)
    again = module.read(module.write(card))

    assert again == card
    assert again.kept == card.kept != {}


@every_form
def test_a_change_touches_only_what_it_names(form: str) -> None:
    module, data = FORMS[form]
    card = module.read(data)
    assert isinstance(card, ModelCard)
    changed = card.model_copy(update={"name": "renamed"})

    before, after = card.kept, module.read(module.write(changed)).kept

    differences = json.dumps(after).replace("renamed", card.name)
    ours, theirs = json.loads(differences), dict(before)
    lines = [said.pop("huggingface-lines", []) for said in (ours, theirs)]
    assert ours == theirs
    assert [line for line in lines[1] if line.startswith(("#", "l", "t"))] == [
        line for line in lines[0] if line.startswith(("#", "l", "t"))
    ]


def test_the_hubs_figures_and_texts_are_read_as_they_stand() -> None:
    card = huggingface.read(README)

    assert card.languages == ["no", "en"]
    assert card.tags == ["recommender", "on"]
    assert [[metric.value for metric in each.metrics] for each in card.evaluations] == [[0.21, 0.19], ["0.50"]]
    assert card.evaluations[0].metrics[0].verified is False
    assert card.body.startswith("\n# House recommender")


def test_the_toolkits_figures_stay_texts() -> None:
    card = toolkit.read(FORMS["toolkit"][1])

    assert [metric.value for metric in card.evaluations[0].metrics] == ["0.21", "NaN"]
    assert card.evaluations[0].metrics[0].interval is not None


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize("target", FORMS)
def test_a_card_of_one_form_is_written_in_every_other(source: str, target: str) -> None:
    card = FORMS[source][0].read(FORMS[source][1])  # type: ignore[attr-defined]
    there = FORMS[target][0].read(FORMS[target][0].write(card))  # type: ignore[attr-defined]

    assert there.name == card.name
    assert [each.name for each in there.training.data][:1] == [each.name for each in card.training.data][:1]


def front(text: str) -> bytes:
    return f"---\n{text}\n---\n# Card\n".encode()


BILLION = "\n".join(["a: &a [x, x]", *(f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))])


@pytest.mark.parametrize(
    ("form", "data", "line", "says"),
    [
        ("huggingface", b"---\nlicense: mit\n# Card\n", 1, "never ends"),
        ("huggingface", b"\n\n---\nlicense: mit\n--- \n----\n", 3, "never ends"),
        ("huggingface", front("license: mit\ntags: []\nlicense: gpl"), 4, "stated twice"),
        ("huggingface", front("a: 1\n? [x]\n: 2"), 3, "must be a text"),
        ("huggingface", front(BILLION), 2, "aliases"),
        ("huggingface", front("x: !!python/object/apply:os.system [ls]"), 2, "Tags"),
        ("huggingface", front("[" * 1_500), 2, "nested deeper"),
        ("huggingface", front("x:\n\ty: 1"), 3, "no YAML"),
        ("huggingface", front("- a\n- b"), 2, "members"),
        ("huggingface", front("datasets:\n- a\n- null"), 4, "must be a text"),
        ("huggingface", front("model-index: house"), 2, "must be a list"),
        ("huggingface", front("model-index:\n- name: a\n  results: []\n- name: b\n  results: []"), 5, "second one"),
        ("huggingface", front("model-index:\n- results: []"), 3, "“name” is missing"),
        (
            "huggingface",
            front("model-index:\n- name: a\n  results:\n  - task: {type: t}\n    dataset: {type: d, name: d}\n"
                  "    metrics:\n    - {type: f1}"),
            8, "“value” is missing",
        ),
        ("huggingface", b"\xff\xfe", 1, "UTF-8"),
        ("huggingface", front("a: b\x00"), 2, "control character"),
        ("huggingface", b"---\n" + b"x" * (1024 * 1024) + b"\n---\n", None, "larger"),
        ("huggingface", b"---\n" + b"\n" * 20_000, 1, "never ends"),
        ("toolkit", b'{"model_details":\n {"owner": []}}', 2, "no such member"),
        ("toolkit", b'{"quantitative_analysis": {"performance_metrics": [\n{"value": 0.5}]}}', 2, "must be a text"),
        ("toolkit", b'{"model_details": {"name": "a",\n "name": "b"}}', 2, "stated twice"),
        ("toolkit", b'{"model_details": {"name": NaN}}', 1, "no number"),
        ("toolkit", b'{"model_details": {"name": "a\nb"}}', 1, "no JSON"),
        ("toolkit", b'{"model_details": {"licenses": [\n{"identifier": "MIT", "custom_text": "x"}]}}', 2, "not both"),
        ("toolkit", b'{"model_details": {"name": "a\\u0000"}}', 1, "control character"),
        ("toolkit", b'{"model_details": {"name": "a\\ud800"}}', 1, "half of a character"),
        ("cyclonedx", b'{"bomFormat": "CycloneDX", "version": 1e999}', 1, "too large"),
        ("toolkit", b"[" * 100_000, 1, "nested deeper"),
        ("cyclonedx", b'{"bomFormat": "SPDX"}', 1, "CycloneDX"),
        ("cyclonedx", b'{"bomFormat": "CycloneDX", "specVersion": "9"}', 1, "version"),
        ("cyclonedx", b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}', 1, "one component"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_line(form: str, data: bytes, line: int | None, says: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        FORMS[form][0].read(data)  # type: ignore[attr-defined]

    assert says in str(refused.value.detail)
    assert refused.value.line == line


def spoilt(change: Any) -> bytes:
    document = json.loads(json.dumps(BOM))
    change(document["components"][2])
    return json.dumps(document, indent=1).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda model: model.update(type="library"), "machine-learning-model"),
        (lambda model: model.update(name=" "), "needs a name"),
        (lambda model: model.update(name=7), "must be a text"),
        (lambda model: model["modelCard"].update(unknown=1), "no such member"),
        (lambda model: model["modelCard"]["modelParameters"]["datasets"][0].update(ref="gone"), "bom-ref"),
        (lambda model: model["modelCard"]["modelParameters"]["datasets"].append({}), "says nothing"),
        (lambda model: model.update({"bom-ref": "events"}), "same bom-ref"),
        (lambda model: model.update(hashes=[{"alg": "SHA-256", "content": "a" * 40}]), "64 hexadecimal"),
        (lambda model: model["modelCard"].update(quantitativeAnalysis=[]), "must be an object"),
        (lambda model: model.update(licenses=[{"license": "MIT"}]), "must be an object"),
        (lambda model: model.pop("name"), "“name” is missing"),
    ],
)
def test_what_a_schema_lets_pass_is_refused_all_the_same(change: Any, says: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        cyclonedx.read(spoilt(change))

    assert says in str(refused.value.detail)
    assert refused.value.line


def test_a_card_without_metadata_is_a_card_with_a_text() -> None:
    assert huggingface.read(b"# Only a title\n").body == "# Only a title\n"
    assert huggingface.read(b"--- \na: 1\n---\n").kept == {"huggingface": {}}
    assert huggingface.read("\ufeff---\nlicense: mit\n---\n".encode()).licenses[0].id == "mit"
    assert huggingface.read(b"---\r\nlicense: mit\r\n---\r\nText\r\n").body == "Text\r\n"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff\x85"),
              max_size=12)
    | st.sampled_from(["no", "on", "~", "1.10", "010", "12:30:45", "2024-05-01", "1e3", ".nan", "0x1f", "- a", "",
                       "a: b"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "no", "1", "b c", "é"]), inner,
                                                                max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(_JSON)
@settings(max_examples=300)
def test_what_is_written_as_yaml_reads_the_same(value: Any) -> None:
    assert read_yaml(written_yaml(value)).value == value


_NAMES = st.sampled_from(
    ["model-index", "license", "language", "datasets", "name", "results", "task", "dataset", "metrics", "type", "value",
     "model_details", "owners", "version", "considerations", "users", "components", "modelCard", "bomFormat"]
)  # fmt: skip
_HOSTILE = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["CycloneDX", "machine-learning-model", "1.6"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(_HOSTILE)
@settings(max_examples=300)
def test_any_document_is_read_or_refused_and_nothing_else(value: Any) -> None:
    for module, data in (
        (toolkit, json.dumps(value).encode()),
        (cyclonedx, json.dumps(value).encode()),
        (huggingface, b"---\n" + json.dumps(value).encode() + b"\n---\n"),
    ):
        with suppress(DocumentRefused):
            assert isinstance(module.read(data), ModelCard)


FULL = {
    "name": "House", "overview": "Item to item.", "version": "3", "date": "2026-11-29",
    "owners": [{"name": "Ada", "contact": "ada@example.org"}], "licenses": [{"id": "MIT"}],
    "architecture": {"name": "EASE", "task": "ranking", "inputs": ["items"], "outputs": ["items"]},
    "training": {"data": [{"name": "events", "digest": "a" * 64}], "from_day": "2026-01-01", "to_day": "2026-11-01",
                 "privacy_level": "individual"},
    "evaluations": [{"dataset": {"name": "events"}, "metrics": [
        {"type": "ndcg", "value": 0.2, "slice": "women", "interval": {"lower": 0.1, "upper": 0.3}}]}],
    "disparities": [{"metric": "ndcg", "group": "women", "value": 0.01}],
    "considerations": {"users": ["shop"], "use_cases": ["lists"], "forbidden_uses": ["credit"], "limitations": ["new"],
                       "tradeoffs": ["speed"], "ethical": [{"name": "bubble", "mitigation": "MMR"}]},
    "alternatives": [{"approach": "popularity"}, {"approach": "EASE", "chosen": True}],
    "governance": {"role": "deployer", "risk": "minimal", "intended_purposes": ["recommendations"]},
}  # fmt: skip


@pytest.mark.parametrize("form", [huggingface, toolkit, cyclonedx], ids=lambda form: form.NAME)
@pytest.mark.parametrize(
    "said",
    [
        {"evaluations": [{"metrics": [{"type": "auc"}]}, {"metrics": []}, {"metrics": [{"value": 0}]}]},
        {"name": " "},
        {"owners": [{}], "citations": [{}], "licenses": [{}], "training": {"data": [{}]}},
    ],
    ids=json.dumps,
)
def test_what_is_written_of_a_card_that_says_little_is_read_again(form: Any, said: dict[str, Any]) -> None:
    written = form.write(ModelCard.model_validate(said))

    assert form.write(form.read(written)) == written


NOTHING: list[dict[str, Any]] = [
    {"name": "\u00a0 "}, {"overview": "TBD"}, {"owners": [{"name": "A", "contact": "\n"}]},
    {"licenses": [{"id": "other"}]},
    {"licenses": [{"id": "unknown"}]}, {"licenses": [{}]}, {"architecture": {"task": "N/A", "name": "EASE"}},
    {"training": {"data": [{"name": "unknown"}]}}, {"evaluations": [{"metrics": [{"type": "ndcg"}]}]},
    {"evaluations": [{"metrics": [{"value": 0.2, "interval": {"lower": 0.1}}]}]},
    {"evaluations": [{"metrics": [{"value": 0.2, "slice": " "}]}]},
    {"considerations": {"limitations": ["", "[More Information Needed]"]}},
    {"considerations": {"ethical": [{"name": "bias", "mitigation": "..."}]}},
    {"alternatives": [{"approach": " ", "chosen": True}]}, {"governance": {"intended_purposes": ["todo"]}},
]  # fmt: skip


@pytest.mark.parametrize("said", NOTHING, ids=json.dumps)
def test_a_card_that_says_nothing_in_a_place_lacks_it(said: dict[str, Any]) -> None:
    card = ModelCard.model_validate({**FULL, **said})

    assert KINDS["card"].score(card) < 100


def test_a_full_card_has_a_hundred_and_each_removal_lowers_it() -> None:
    full = ModelCard.model_validate(FULL)
    assert (KINDS["card"].score(full), missing(full)) == (100, [])

    lowered = set()
    for name in ModelCard.model_fields:
        if name in FULL:
            less = ModelCard.model_validate({each: value for each, value in FULL.items() if each != name})
            assert KINDS["card"].score(less) < 100
            lowered.update(missing(less))
    assert KINDS["card"].score(ModelCard()) == 0
    assert set(missing(ModelCard())) == set(CHECKS) >= lowered
