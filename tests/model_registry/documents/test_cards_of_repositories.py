"""READMEs and archives as repositories have them: whole files of many kinds, each kept without loss or refused."""

import json
from datetime import date
from typing import Any

import pytest
import yaml

from model_registry.documents import cyclonedx, huggingface, toolkit
from model_registry.documents.card import Interval, ModelCard
from model_registry.documents.refusal import DocumentRefused

TRAINER = """---
license: apache-2.0
base_model: bert-base-uncased
tags:
- generated_from_trainer
datasets:
- conll2003
metrics:
- precision
- accuracy
model-index:
- name: bert-finetuned-ner
  results:
  - task:
      name: Token Classification
      type: token-classification
    dataset:
      name: conll2003
      type: conll2003
      config: conll2003
      split: train
      args: conll2003
    metrics:
    - name: Precision
      type: precision
      value: 0.9321966308
    - name: Accuracy
      type: accuracy
      value: 1
  - task: {name: Token Classification, type: token-classification}
    dataset:
      {name: conll2003, type: conll2003, config: conll2003, split: test,
       revision: 01ad4ad271976c5258b9ed9b910469a806ff3288}
    metrics:
    - {name: Loss, type: loss, value: 1e-5, verified: true, verifyToken: eyJhbGciOiJFZERTQSJ9.eyJoYXNoIjoiNGU}
---

<!-- This model card has been generated automatically. -->

# bert-finetuned-ner

| Epoch | Loss |
|:-----:|:----:|
| 1.0   | 0.05 |

---
not metadata
"""
LLAMA = """---
language:
- en
- de
- pt
license: other
license_name: llama3.2
license_link: https://huggingface.co/meta-llama/Llama-3.2-1B/blob/main/LICENSE.txt
extra_gated_prompt: >-
  ### LICENSE AGREEMENT

  Version Release Date: September 25, 2024
    "Agreement" means: the terms.
extra_gated_fields:
  First Name: text
  Date of birth: date_picker
  Job title:
    type: select
    options:
    - Student
    - 'Other'
  By clicking Submit below I accept the terms of the license: checkbox
library_name: transformers # the default
---
## Model
"""
WIDGETS = """---
pipeline_tag: text-classification
language: no
inference:
  parameters:
    temperature: 0.70
    top_p: .95
    stop: ["\\n\\n", "<|im_end|>"]
widget:
- text: "Jens Peder Hansen kommer fra Danmark"
- text: >
    folded
    text
  example_title: 'Ja: ''nei'''
- src: https://example.org/a.flac
  output:
  - label: POSITIVE
    score: 0.8
- messages:
  - role: user
    content: |
      ---
      not a fence
co2_eq_emissions:
  emissions: 0.0027
  source: "AutoTrain"
  on_cloud: yes
---
"""
TRANSLATED = """---
language: [zh, ja, yue]
tags: [中文, "emoji 🤗", naïve]
datasets: [wikipedia/20220301.en, 'C4 (200M)', "a:b", mc4@1.0]
---
# 模型
\u200bzero width
"""
ROBOTICS = """---
library_name: lerobot
tags: [LunarLander-v2, deep-reinforcement-learning]
model-index:
- name: PPO
  results:
  - task: {type: reinforcement-learning, name: reinforcement-learning}
    dataset: {name: LunarLander-v2, type: LunarLander-v2}
    metrics:
    - {type: mean_reward, value: 262.91 +/- 13.47, name: mean_reward, verified: false}
---
"""
MTEB = """---
model-index:
- name: e5
  results:
  - task:
      type: Classification
    dataset:
      type: mteb/amazon_counterfactual
      name: MTEB AmazonCounterfactualClassification (en)
      config: en
      split: test
      revision: e8379541af4e31359cca9fbcf4b00f2671dba205
    metrics:
    - type: accuracy
      value: 77.79104477611939
    - type: ap
      value: 42.2
  - task:
      type: Classification
    dataset:
      type: mteb/amazon_counterfactual
      name: MTEB AmazonCounterfactualClassification (en)
      config: en
      split: test
      revision: e8379541af4e31359cca9fbcf4b00f2671dba205
    metrics:
    - type: accuracy
      value: 77.79104477611939
license: mit
---
"""
REMARKS = """---
# For reference on model card metadata, see the spec
# Doc / guide: https://huggingface.co/docs/hub/model-cards
language: en   # the only one

license: 'mit'
tags:
  - "a"   # why
  # - b
datasets:

base_model:
- org/one
- org/two
base_model_relation: merge
new_version: org/three
date: 2024-05-01
count: 010
version: 1.10
ratio: 1:30
empty: {}
none: []
---
text
"""
TEMPLATE = """---
{}
---

# Model Card for Model ID

## Model Details
"""
NAMES = """---
license: cc-by-nc-4.0
self: x
name: 'it''s'
key with spaces: 1
"quoted: key": 2
? asked
: 3
---
body"""
WORDS = """---
title: What? #1
url: http://a.b/c#d
time: 12:30:45
hex: 0x1F
words: [Yes, NO, Off, y, ~, Null, .5, +1, 1_000, 0b1, 1e3]
float: -1.5E+10
tiny: 1e-5
big: 123456789012345678901234567890
---
"""
MARKED = """---
license: mit
---
<div align="center">
\t<img src='x' onerror=alert(1)>
</div>
{{ 7*7 }}
"""
CARDS = {
    "written by a trainer": TRAINER,
    "gated, another licence": LLAMA,
    "widgets, norwegian": WIDGETS,
    "in other scripts": TRANSLATED,
    "reward with its spread": ROBOTICS,
    "the same result twice": MTEB,
    "remarks, blanks, dates": REMARKS,
    "template with braces": TEMPLATE,
    "names as others write them": NAMES,
    "words that are none in YAML 1.1": WORDS,
    "windows line ends": TRAINER.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + REMARKS,
    "no end of line at the end": TRAINER.rstrip("\n"),
    "empty": "",
    "blank lines only": "\n\n\n",
    "no metadata": "# Title\n\n---\n\ntext: 1\n---\n",
    "fence only": "---\n---\n",
    "metadata of remarks": "---\n# nothing\n---\ntext\n",
    "text with HTML and tabs": MARKED,
    "very long line": "---\ndescription: " + "x " * 9_000 + "\n---\n",
    "forty levels less some": "---\nown: " + "[" * 36 + "]" * 36 + "\n---\n",
}  # fmt: skip


class _Words(yaml.SafeLoader):
    """Reader that takes no value for anything but a text: what stands there, as it stands."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def front(text: str) -> str:
    """The metadata of a README, found without the code that is tested."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text.split("\n---\n")[0].removeprefix("---\n").removesuffix("---\n") if text.startswith("---\n") else ""


def said(text: str) -> Any:
    """What the metadata say, each scalar as its text but numbers and nothing, which have several spellings."""
    return _leveled(yaml.load(front(text), _Words))


def _leveled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _leveled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_leveled(each) for each in value]
    if value in ("", "~", "null", "Null", None):
        return None
    try:
        return float(value) if set(value) <= set("0123456789.eE+-") else value
    except ValueError:
        return value


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS)
def test_a_readme_is_kept_without_loss(text: str) -> None:
    card = huggingface.read(text.encode())
    written = huggingface.write(card)

    assert said(written.decode()) == said(text)
    assert huggingface.read(written).body == card.body
    assert huggingface.write(huggingface.read(written)) == written
    assert huggingface.read(written) == card
    stored = ModelCard.model_validate(json.loads(json.dumps(card.model_dump(mode="json"))))
    assert huggingface.write(stored) == written


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS)
def test_a_change_leaves_everything_else_in_a_readme(text: str) -> None:
    card = huggingface.read(text.encode())
    changed = card.model_copy(update={"tags": ["new"], "licenses": []})

    found = said(huggingface.write(changed).decode())

    gone = ("license", "license_name", "license_link")
    before = {name: value for name, value in (said(text) or {}).items() if name not in gone}
    assert found == {**before, "tags": ["new"]}


@pytest.mark.parametrize("name", ["written by a trainer", "gated, another licence", "the same result twice"])
def test_a_readme_that_is_not_changed_keeps_each_byte(name: str) -> None:
    text = CARDS[name].replace("value: 1e-5", "value: 1.0e-5")  # the other is a text to readers of YAML 1.1

    assert huggingface.write(huggingface.read(text.encode())).decode() == text


def test_remarks_stay_and_what_other_readers_would_mistake_gets_quotes() -> None:
    card = huggingface.read(REMARKS.encode())

    written = huggingface.write(card.model_copy(update={"languages": ["en", "no"]})).decode()

    for line in ("# For reference on", "# Doc / guide", "license: 'mit'\n", '  - "a"   # why\n  # - b\n'):
        assert line in written
    for line in ('language:\n- en\n- "no"\n', 'date: "2024-05-01"\n', "count: 10\n", 'ratio: "1:30"\n'):
        assert line in written
    assert yaml.safe_load(front(written))["date"] == "2024-05-01" != date(2024, 5, 1)


WRONG = {
    "null in a list": (TRAINER.replace("- conll2003\nmetrics", "- null\nmetrics"), 7, "must be a text"),
    "no figure": (TRAINER.replace("value: 1\n", "value: .nan\n"), 29, "no figure"),
    "figure that is missing": (TRAINER.replace("      value: 0.9321966308\n", ""), 24, "“value” is missing"),
    "verified that is a text": (ROBOTICS.replace("false", "'false'"), 10, "valid boolean"),
    "number as a name": (ROBOTICS.replace("name: LunarLander-v2", "name: 2011"), 8, "must be a text"),
    "alias": (MTEB.replace("type: mteb/amazon_counterfactual", "type: &x mteb/a", 1), 8, "aliases"),
    "merge key": (WIDGETS.replace("  source:", "  <<: {a: 1}\n  source:"), 26, "Merge keys"),
    "tab": (REMARKS.replace('  - "a"', '\t- "a"'), 8, "no YAML"),
    "twice": (REMARKS.replace("none: []", "license: mit"), 22, "stated twice"),
    "twice in other spelling": (NAMES.replace("self:", "'license':"), 3, "stated twice"),
    "a bracket that stays open": (MTEB.replace("config: en", "config: [en"), 11, "no YAML"),
    "never closed": (REMARKS.replace("\n---\ntext", "\n----\ntext"), 1, "never ends"),
    "closed by dots": (REMARKS.replace("\n---\ntext", "\n...\ntext"), 1, "never ends"),
    "two models": (ROBOTICS.replace("false}\n", "false}\n- name: B\n  results: []\n"), 11, "second"),
    "metadata that are a list": ("---\n- a\n---\n", 2, "members with values"),
    "metadata that are a text": ("---\nThis is a text.\n---\n", 2, "members with values"),
    "python object": ("---\na: 1\nb: !!python/object/apply:os.system ['x']\n---\n", 3, "Tags"),
    "nested deep": ("---\nown:\n  " + "[" * 1_500 + "]" * 1_500 + "\n---\n", 3, "nested deeper"),
    "many values": ("---\n" + "".join(f"k{number}: 1\n" for number in range(30_000)) + "---\n", None, "50,000"),
    "hundred megabytes": ("---\na: " + "x" * 5_000_000 + "\n---\n", None, "larger than"),
    "control character": ("---\na: b\x07\n---\n", 2, "control character"),
    "half a character": ('---\na: 1\nb: "\\ud800"\n---\n', 3, "half of a character"),
    "nothing, escaped": ('---\na: 1\nb: ["\\0"]\n---\n', 3, "control character"),
    "a bell in a name": ('---\na: 1\n"b\\a": 1\n---\n', 3, "control character"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), WRONG.values(), ids=WRONG)
def test_a_readme_that_is_wrong_is_refused_at_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(DocumentRefused, match=says) as refused:
        huggingface.read(text.encode())

    assert line in (None, refused.value.line), refused.value.detail
    assert len(str(refused.value.detail)) < 400


KIT_1: dict[str, Any] = {
    "schema_version": "0.0.1",
    "model_details": {"name": "Smiling", "overview": "x", "version": {"name": "1", "date": "2020-01-01"},
                      "owners": [{"name": "A", "contact": "a@example.org"}],
                      "license": "Apache-2.0", "references": ["https://example.org"], "citation": "A, 2020"},
    "model_parameters": {"model_architecture": "MobileNet",
                         "data": {"train": {"sensitive": True, "link": "https://example.org/train"},
                                  "eval": {"name": "held out", "sensitive": False}}},
    "quantitative_analysis": {
        "performance_metrics": [
            {"type": "accuracy", "value": 0.5, "slice": "Young", "threshold": 0.25,
             "confidence_interval": {"lower_bound": 0.4, "upper_bound": 1e-05}},
            {"type": "name of the best", "value": "A"}],
        "graphics": {"description": "d", "collection": [{"name": "g", "image": "iVBORw0KGgo="}]},
    },
    "considerations": {"users": ["ML people"], "use_cases": [], "limitations": ["Cats"],
                       "ethical_considerations": [{"name": "bias", "mitigation_strategy": "none"}]},
}  # fmt: skip
KIT_2 = {
    "schema_version": "v0.0.2",
    "model_details": {
        "name": "CelebA Smiling", "overview": "", "documentation": "d", "path": "m/",
        "owners": [{"name": "A", "contact": "a@example.org"}, {}],
        "version": {"name": "v1", "date": "2021-02-03", "diff": "new"},
        "licenses": [{"identifier": "MIT"}, {"custom_text": "Ours"}],
        "references": [{"reference": "https://example.org"}, {"reference": ""}],
        "citations": [{"style": "bibtex", "citation": "@article{a}\n"}],
    },
    "model_parameters": {
        "model_architecture": "MobileNet", "input_format": "img",
        "input_format_map": [{"key": "x", "value": "1"}], "output_format_map": [{"key": "y", "value": ""}],
        "data": [{"name": "train", "link": "", "sensitive": {"sensitive_data": ["face"]},
                  "graphics": {"description": "d", "collection": [{"name": "g", "image": "iVBORw0KGgo="}]}},
                 {"name": "eval"}],
    },
    "quantitative_analysis": {
        "performance_metrics": [
            {"type": "accuracy", "value": "0.90", "slice": "Young, Male",
             "confidence_interval": {"lower_bound": "0.8", "upper_bound": "NaN"}},
            {"type": "accuracy", "value": "0.90"}],
        "graphics": {"collection": []},
    },
    "considerations": {
        "users": [{"description": "ML \u2028 people"}], "use_cases": [], "tradeoffs": [{"description": ""}],
        "ethical_considerations": [{"name": "bias", "mitigation_strategy": ""}],
    },
}  # fmt: skip


def _dumped(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def test_a_toolkit_card_is_kept_without_loss() -> None:
    card = toolkit.read(_dumped(KIT_2))

    assert json.loads(toolkit.write(card)) == KIT_2
    renamed = json.loads(toolkit.write(card.model_copy(update={"name": "B"})))
    assert renamed == {**KIT_2, "model_details": {**KIT_2["model_details"], "name": "B"}}  # type: ignore[dict-item]


def test_a_toolkit_card_of_the_first_schema_becomes_one_of_the_second_without_loss() -> None:
    card = toolkit.read(_dumped(KIT_1))

    assert (card.licenses[0].text, card.references, card.citations[0].citation) == (
        "Apache-2.0", ["https://example.org"], "A, 2020")  # fmt: skip
    assert [(each.name, each.sensitive) for each in card.training.data] == [
        ("Training Set", ["yes, not described"]), ("held out", []),
    ]  # fmt: skip
    first, second = card.evaluations[0].metrics
    assert (first.value, first.interval, second.value) == ("0.5", Interval(lower="0.4", upper="1e-05"), "A")
    assert (card.considerations.users, card.considerations.limitations) == (["ML people"], ["Cats"])
    written = json.loads(toolkit.write(card))
    assert written["quantitative_analysis"]["performance_metrics"][0]["threshold"] == "0.25"
    assert written["quantitative_analysis"]["graphics"] == KIT_1["quantitative_analysis"]["graphics"]
    assert (written["schema_version"], toolkit.read(_dumped(written))) == ("0.0.2", card)


@pytest.mark.parametrize("member", [*KIT_1, *KIT_1["model_details"]])
def test_a_toolkit_card_of_the_first_schema_may_lack_each_member(member: str) -> None:
    details = {name: value for name, value in KIT_1["model_details"].items() if name != member}
    less = {name: value for name, value in {**KIT_1, "model_details": details}.items() if name != member}

    assert toolkit.read(_dumped({**less, "schema_version": "v0.0.1"})).kept


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda card: card["model_details"].update(license=["MIT"]), r"license: This must be a text"),
        (lambda card: card["model_details"].update(licence="MIT"), r"licence: The form has no such member"),
        (lambda card: card["model_parameters"].update(data=[{}]), r"data: This must be an object"),
        (lambda card: card["model_parameters"]["data"].update(train={"sensitive": "no"}), r"sensitive: .* true or fal"),
        (lambda card: card["quantitative_analysis"]["performance_metrics"][0].update(value=True), "must be a text"),
        (lambda card: card["considerations"].update(users=[{"description": "x"}]), r"users\[0\]: This must be a text"),
    ],
)  # fmt: skip
def test_a_wrong_toolkit_card_of_the_first_schema_is_refused_at_its_line(change: Any, says: str) -> None:
    spoilt = json.loads(_dumped(KIT_1))
    change(spoilt)

    with pytest.raises(DocumentRefused, match=says) as refused:
        toolkit.read(_dumped(spoilt))
    assert refused.value.line is not None
    assert refused.value.line > 2


BOM = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
    "metadata": {"timestamp": "2026-01-01T00:00:00Z", "tools": {"components": [{"type": "application", "name": "t"}]},
                 "component": {"type": "application", "name": "shop"}},
    "components": [{
        "bom-ref": "pkg:huggingface/org/m@1", "type": "machine-learning-model", "publisher": "Org", "name": "m",
        "version": "1", "purl": "pkg:huggingface/org/m@1",
        "licenses": [{"expression": "Apache-2.0 OR MIT"}],
        "externalReferences": [{"type": "vcs", "url": "https://example.org/m", "comment": "c"}],
        "modelCard": {
            "bom-ref": "card",
            "modelParameters": {
                "approach": {"type": "self-supervised"}, "task": "text-generation", "architectureFamily": "llama",
                "modelArchitecture": "LlamaForCausalLM",
                "datasets": [{"type": "dataset", "name": "d", "contents": {"url": "https://example.org/d"},
                              "governance": {"owners": [{"organization": {"name": "Org"}}]},
                              "classification": "public", "sensitiveData": ["none"]}],
                "inputs": [{"format": "text"}], "outputs": [{"format": "text"}, {"format": "code"}]},
            "quantitativeAnalysis": {"performanceMetrics": [
                {"type": "f1", "value": "0.5", "slice": "a", "confidenceInterval": {"lowerBound": "0.4"}}]},
            "considerations": {
                "users": ["u"], "useCases": ["c"], "technicalLimitations": ["l"], "performanceTradeoffs": ["t"],
                "ethicalConsiderations": [{"name": "n", "mitigationStrategy": "m"}, {"name": "o"}],
                "fairnessAssessments": [{"groupAtRisk": "g", "benefits": "b", "harms": "h"}],
                "environmentalConsiderations": {
                    "energyConsumptions": [{
                        "activity": "training", "activityEnergyCost": {"value": 1.5, "unit": "kWh"},
                        "co2CostEquivalent": {"value": 0.2, "unit": "tCO2eq"},
                        "energyProviders": [{"organization": {"name": "P"}, "energySource": "wind",
                                             "energyProvided": {"value": 1, "unit": "kWh"}}]}],
                    "properties": [{"name": "a", "value": "b"}]}},
            "properties": [{"name": "genai:x", "value": "1"}]}}],
    "dependencies": [{"ref": "pkg:huggingface/org/m@1", "dependsOn": []}],
}  # fmt: skip


def test_a_bill_of_materials_is_kept_without_loss() -> None:
    card = cyclonedx.read(_dumped(BOM))

    assert json.loads(cyclonedx.write(card)) == BOM
    renamed = json.loads(cyclonedx.write(card.model_copy(update={"name": "n"})))
    assert renamed["components"][0].pop("name") == "n"
    assert {**renamed["components"][0], "name": "m"} == BOM["components"][0]  # type: ignore[index]


def test_an_older_bill_of_materials_rises_where_a_change_needs_it() -> None:
    old = json.loads(_dumped(BOM).decode().replace("1.6", "1.5"))
    del old["components"][0]["modelCard"]["considerations"]["environmentalConsiderations"]
    card = cyclonedx.read(_dumped(old))

    assert json.loads(cyclonedx.write(card)) == old
    written = json.loads(cyclonedx.write(card.model_copy(update={"tags": ["new"]})))
    assert (written["specVersion"], written["$schema"]) == ("1.6", BOM["$schema"])
    assert {**written["components"][0], "tags": None} == {**old["components"][0], "tags": None}
