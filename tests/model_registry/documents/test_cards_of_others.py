"""Cards as others write them: each is read and written back without loss, or refused with the line that is wrong."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from model_registry.documents import croissant, cyclonedx, huggingface, toolkit
from model_registry.documents.refusal import DocumentRefused
from tests.model_registry.documents.test_datasheets import SHEET

FORMS: dict[str, Any] = {"hub": huggingface, "toolkit": toolkit, "bom": cyclonedx, "croissant": croissant}


@dataclass(frozen=True)
class Case:
    """A file of a form, and the line and words of its refusal; a card without them is read and written back."""

    name: str
    form: str
    data: bytes
    line: int | None = None
    says: str = ""


def hub(front: str, body: str = "# Card\n", *, end: str = "\n") -> bytes:
    return f"---\n{front}\n---\n{body}".replace("\n", end).encode()


def result(metric: str = "{type: f1, value: 0.5}", dataset: str = "type: d, name: D", **more: str) -> str:
    """A result of four lines; what is added has a line each."""
    extra = "".join(f"\n    {name}: {value}" for name, value in more.items())
    lines = ["  - task: {type: t}", f"    dataset: {{{dataset}}}", "    metrics:", f"    - {metric}{extra}"]
    return "\n".join(lines)


def index(*results: str) -> str:
    return "model-index:\n- name: house\n  results:\n" + "\n".join(results)


def bom(change: Any = lambda _document, _model: None, **top: Any) -> bytes:
    model: dict[str, Any] = {
        "type": "machine-learning-model", "bom-ref": "m", "name": "house",
        "hashes": [{"alg": "SHA-256", "content": "5e" * 32}],
        "modelCard": {"modelParameters": {"approach": {"type": "supervised"}, "datasets": [{"ref": "d"}]}},
    }  # fmt: skip
    events = {"type": "data", "bom-ref": "d", "name": "events", "hashes": [{"alg": "SHA-512", "content": "5e" * 64}]}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [events, model], **top}
    change(document, model)
    return json.dumps(document, indent=1).encode()


def parameters(model: Any) -> Any:
    return model["modelCard"]["modelParameters"]


def data(model: Any) -> Any:
    return parameters(model)["datasets"]


def kit(**members: Any) -> bytes:
    return json.dumps(members, indent=1).encode()


def sheet(change: Any = lambda _document: None) -> bytes:
    document = json.loads(croissant.write(SHEET))
    change(document)
    return json.dumps(document, indent=1).encode()


def generated_by_a_hub(document: Any) -> None:
    """A repository without a checksum, no day, no licence."""
    for name in ("datePublished", "license", "version"):
        del document[name]
    document["distribution"] = [
        {"@type": "cr:FileObject", "@id": "repo", "name": "repo", "contentUrl": "https://example.org/tree/parquet",
         "encodingFormat": "git+https", "sha256": "https://github.com/mlcommons/croissant/issues/80"},
        {"@type": "cr:FileSet", "@id": "files", "containedIn": {"@id": "repo"},
         "encodingFormat": "application/x-parquet", "includes": "default/*/*.parquet"},
    ]  # fmt: skip


def generated_by_another(document: Any) -> None:
    """An archive with its MD5 in Base64, a file inside of it, a licence that is an object, a version that is 1."""
    document |= {"version": 1, "license": {"@type": "sc:CreativeWork", "name": "Other (see the text)"}}
    document["distribution"] = [
        {"@type": "cr:FileObject", "@id": "archive.zip", "name": "archive.zip", "contentSize": "134.6 KB",
         "contentUrl": "https://example.org/1", "encodingFormat": "application/zip", "md5": "xnQ+q8WLj9aPCvhTsG+L6A=="},
        {"@type": "cr:FileObject", "@id": "a", "name": "a.csv", "contentUrl": "a.csv", "encodingFormat": ["text/csv"],
         "containedIn": {"@id": "archive.zip"}},
    ]  # fmt: skip


FIELD = {"@type": "cr:RecordSet", "@id": "r", "field": [{"@type": "cr:Field", "@id": "r/a", "name": "a"}]}
CARDS = [
    Case("norwegian", "hub", hub("language: no")),
    Case("yaml 1.1 words as tags", "hub", hub("tags: [on, off, yes, y, n, 12:30:45, 2024-05-01, 1e, 0x1f, 1_000]")),
    Case("numbers of own members", "hub", hub("own: {a: 010, b: 1e3, c: 12345678901234567890, d: -0.5, e: 0o17}")),
    Case("null members", "hub", hub("license:\ndatasets: ~\nown: null")),
    Case("an empty index", "hub", hub("license: mit\nmodel-index: []")),
    Case("twice the same tag", "hub", hub("tags: [a, a, b, a]")),
    Case("results that are equal", "hub",
         hub(index(result(), result(source="{name: Other, url: 'https://o.example'}")))),
    Case("unknown members inside", "hub",
         hub(index(result(metric="{type: f1, value: [1, {a: ~}], own: 1}", own="[x]")))),
    Case("false, zero and empty", "hub", hub(index(result("{type: f1, value: 0, verified: false, name: ''}")))),
    Case("config, split, revision", "hub",
         hub(index(result(dataset="type: d, name: D, config: c, split: s, revision: r")))),
    Case("windows line ends", "hub", hub("license: mit\ntags:\n- a", "# Card\n\nText\n", end="\r\n")),
    Case("mixed line ends", "hub", b"---\r\nlicense: mit\ntags: [a]\r\n---\n# Card\r\nText\n"),
    Case("old line ends", "hub", b"---\rlicense: mit\r---\rText\r"),
    Case("byte order mark", "hub", b"\xef\xbb\xbf" + hub("license: mit")),
    Case("blank lines first", "hub", b"\n\n" + hub("license: mit")),
    Case("no metadata", "hub", b"# Card\n\n---\nlicense: mit\n---\n"),
    Case("fence with a blank", "hub", b"--- \nlicense: mit\n---\n"),
    Case("empty metadata before more", "hub", b"---\n---\n---\nlicense: mit\n---\n"),
    Case("indented fence in a text", "hub", hub("own: |\n  a\n  ---\n  b\nlicense: mit")),
    Case("keys of the library", "hub", hub("self: 1\nto_dict: 2\nignore_metadata_errors: true\n__proto__: {a: 1}")),
    Case("several licences", "hub", hub("license: [mit, apache-2.0]")),
    Case("another licence", "hub", hub("license: other\nlicense_name: ours\nlicense_link: LICENSE")),
    Case("another licence that is not named", "hub", hub("license: other")),
    Case("another licence without its text", "hub", hub("license: [other]\nlicense_name: ours")),
    Case("a licence's name alone", "hub", hub("license_name: ours")),
    Case("each language", "hub", hub("language: [" + ", ".join(f"l{number}" for number in range(5_000)) + "]")),
    Case("empty toolkit card", "toolkit", b"{}"),
    Case("toolkit members of others inside", "toolkit", kit(
        model_details={"owners": [{"name": "A", "role": "maintainer"}], "citations": [{"citation": "c", "doi": "d"}]},
        model_parameters={"data": [{"name": "a", "graphics": {"collection": [{"name": "g", "description": "d"}]}}]},
        quantitative_analysis={"performance_metrics": [{"type": "accuracy", "value": "0.9", "threshold": "0.5"}]})),
    Case("toolkit without a schema", "toolkit", kit(model_details={"name": "a", "overview": "", "licenses": []})),
    Case("toolkit maps", "toolkit", kit(model_parameters={"input_format_map": [{"key": "a", "value": ""}]})),
    Case("toolkit graphics", "toolkit", kit(quantitative_analysis={"graphics": {"collection": [{"image": "aGk="}]}})),
    Case("toolkit texts as figures", "toolkit",
         kit(quantitative_analysis={"performance_metrics": [{"type": "auc", "value": "0.90"}, {"value": "NaN"}]})),
    Case("bom 1.5", "bom", bom(specVersion="1.5")),
    Case("bom 1.7", "bom", bom(specVersion="1.7")),
    Case("bom with its schema", "bom", bom(**{"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json"})),
    Case("bom of the model itself", "bom", bom(
        lambda document, model: document.update(metadata={"component": model}, components=document["components"][:1]))),
    Case("bom with an unlisted licence", "bom", bom(
        lambda _document, model: model.update(licenses=[{"license": {"name": "Ours"}}]))),
    Case("bom with the model inside of an application", "bom", bom(
        lambda document, model: document.update(
            components=[document["components"][0], {"type": "application", "name": "a", "components": [model]}]))),
    Case("bom of the model, with the one it is made of", "bom", bom(
        lambda document, model: document.update(
            metadata={"component": {**model, "bom-ref": "main", "components": [{**model, "bom-ref": "base"}]}}))),
    Case("croissant 1.1", "croissant", sheet()),
    Case("croissant as one hub generates it", "croissant", sheet(generated_by_a_hub)),
    Case("croissant as another one generates it", "croissant", sheet(generated_by_another)),
    Case("croissant of 1.0 without a creator", "croissant", sheet(
        lambda document: (document.update(conformsTo="http://mlcommons.org/croissant/1.0"), document.pop("creator")))),
    Case("croissant with one entry without its list", "croissant", sheet(
        lambda document: document.update(
            distribution=document["distribution"][0], creator={"@type": "sc:Person", "name": ["Ana", "Ben"]}))),
    Case("croissant of live data", "croissant", sheet(
        lambda document: (document.update(isLiveDataset=True), document["distribution"][0].pop("sha256")))),
    Case("croissant that states a node of provenance twice", "croissant", sheet(
        lambda document: document.update({
            "prov:wasDerivedFrom": {"@type": "prov:Entity", "@id": "source"},
            "prov:wasGeneratedBy": {"@type": "prov:Activity", "@id": "run",
                                    "usage": {"@type": "prov:Entity", "@id": "source"}}}))),
    Case("croissant fields of other fields", "croissant", sheet(
        lambda document: document.update(recordSet=[
            {"@type": "cr:RecordSet", "@id": "r", "key": {"@id": "a"}, "field": [
                {"@type": "cr:Field", "@id": "r/a", "dataType": "sc:Text"},
                {"@type": "cr:Field", "@id": "r/b", "source": {"field": {"@id": "r/a"}}}]}]))),
    Case("croissant 1.0", "croissant",
         sheet(lambda document: document.update(conformsTo="http://mlcommons.org/croissant/1.0"))),
    Case("croissant live data", "croissant", sheet(
        lambda document: document["distribution"].append(
            {"@type": "cr:FileObject", "@id": "live", "contentUrl": "live.csv", "encodingFormat": "text/csv",
             "isLiveDataset": True}))),
    Case("croissant own members", "croissant", sheet(lambda document: document.update(own={"a": [1]}))),
]  # fmt: skip
WRONG = [
    Case("never closed", "hub", b"---\nlicense: mit\n# Card\n", 1, "never ends"),
    Case("never closed, windows", "hub", b"---\r\nlicense: mit\r\n----\r\n", 1, "never ends"),
    Case("alias", "hub", hub("a: &x [1]\nb: *x"), 2, "aliases"),
    Case("merge key", "hub", hub("own:\n  <<: {a: 1}"), 3, "Merge keys"),
    Case("tag", "hub", hub("a: 1\nb: !!binary aGk="), 3, "Tags"),
    Case("own tag", "hub", hub("a: !ours x"), 2, "Tags"),
    Case("directive", "hub", hub("%YAML 1.1"), 3, "no YAML"),
    Case("second document", "hub", hub("a: 1\n...\nb: 2"), 4, "no YAML|more than one"),
    Case("stated twice", "hub", hub("tags: [a]\nlicense: mit\n'license': mit"), 4, "stated twice"),
    Case("stated twice inside", "hub", hub(index(result("{type: f1, value: 1, value: 2}"))), 8, "stated twice"),
    Case("number as a name", "hub", hub("license: mit\n1: x"), 3, "must be a text"),
    Case("truth as a name", "hub", hub("true: x"), 2, "must be a text"),
    Case("null as a name", "hub", hub("~: x"), 2, "must be a text"),
    Case("not a number", "hub", hub(index(result("{type: f1, value: .nan}"))), 8, "no figure"),
    Case("infinite", "hub", hub("own:\n- -.inf"), 3, "no figure"),
    Case("no value", "hub", hub(index(result("{type: f1, value: ~}"))), 8, "“value” is missing"),
    Case("revision that lost its zero", "hub",
         hub(index(result(dataset="type: d, name: D, revision: 1.10"))), 6, "text"),
    Case("several models", "hub",
         hub("model-index:\n- {name: a, results: []}\n- {name: b, results: []}"), 4, "second one"),
    Case("index that is an object", "hub", hub("model-index:\n  name: a"), 2, "must be a list"),
    Case("data set without a name", "hub", hub(index(result(dataset="type: d"))), 6, "“name” is missing"),
    Case("task that is a text", "hub", hub(index(result().replace("{type: t}", "t"))), 5, "must be an object"),
    Case("null in a list", "hub", hub("license: mit\ndatasets:\n- null"), 4, "must be a text"),
    Case("a line that only Unicode ends", "hub", hub('a: 1\nown: "a\u2028---\u2028b"'), 3, "ends a line"),
    Case("tab", "hub", hub("a:\n\tb: 1"), 3, "no YAML"),
    Case("too long a tag", "hub", hub("license: mit\ntags:\n- a\n- " + "x" * 500), 5, "400"),
    Case("fence at the left of a text", "hub", hub('own: "a\n---\nb"'), 3, "no YAML"),
    Case("front matter of 100 MB", "hub", b"---\na: " + b"x" * 2_000_000 + b"\n---\n", None, "larger"),
    Case("repeated member", "toolkit", b'{"model_details": {\n "name": "a",\n "name": "b"}}', 3, "stated twice"),
    Case("escaped to be repeated", "toolkit",
         b'{"model_details": {"name": "a",\n"n\\u0061me": "b"}}', 2, "stated twice"),
    Case("NaN", "toolkit", b'{"quantitative_analysis":\n {"performance_metrics":\n [{"value": NaN}]}}', 3, "no number"),
    Case("figure as a number", "toolkit",
         b'{"quantitative_analysis": {"performance_metrics": [\n{"value": 0.5}]}}', 2, "text"),
    Case("control character", "toolkit", b'{"model_details": {"name":\n "a\\u0007"}}', 2, "control character"),
    Case("misspelt inside", "toolkit", b'{"model_details": {\n"owner": [{"name": "a"}]}}', 2, "no such member"),
    Case("names of protocol buffers", "toolkit", b'{\n"modelDetails": {"name": "a"}}', 2, "no such member"),
    Case("licence of 0.0.1", "toolkit",
         b'{"model_details": {\n"license": {"identifier": "MIT"}}}', 2, "no such member"),
    Case("users as texts", "toolkit", b'{"considerations": {"users": [\n"the shop"]}}', 2, "must be an object"),
    Case("nested deep", "toolkit", b'{"a":\n' + b"[" * 2_000 + b"]" * 2_000 + b"}", 2, "nested deeper"),
    Case("a list", "toolkit", b"\n[]", 2, "must be an object"),
    Case("comment", "toolkit", b'{\n// no\n"model_details": {}}', 2, "no JSON"),
    Case("UTF-16", "toolkit", '{"a": 1}'.encode("utf-16"), 1, "UTF-8"),
    Case("schema of another version", "bom",
         bom(**{"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "specVersion": "1.7"}), None, "1.6"),
    Case("short digest", "bom", bom(lambda _document, model: model["hashes"][0].update(content="5e" * 20)), None, "64"),
    Case("short digest of the data", "bom",
         bom(lambda document, _model: document["components"][0]["hashes"][0].update(content="5e" * 32)), None, "128"),
    Case("unknown digest", "bom",
         bom(lambda _document, model: model["hashes"][0].update(alg="CRC32")), None, "one of MD5"),
    Case("no hexadecimal", "bom",
         bom(lambda _document, model: model["hashes"][0].update(content="z" * 64)), None, "written as"),
    Case("unknown member of a licence", "bom", bom(
        lambda _document, model: model.update(licenses=[{"license": {"name": "Ours", "own": 1}}])), None, "no such"),
    Case("dangling reference", "bom", bom(
        lambda _document, model: data(model)[0].update(ref="x")), None, "bom-ref"),
    Case("data set without a type", "bom", bom(
        lambda _document, model: data(model).append({"name": "a"})), None, "type"),
    Case("unknown approach", "bom", bom(
        lambda _document, model: parameters(model)["approach"].update(type="magic")), None, "approach"),
    Case("card on a library", "bom",
         bom(lambda _document, model: model.update(type="library")), None, "learning-model"),
    Case("no card", "bom", bom(lambda _document, model: model.pop("modelCard")), None, "there are 0"),
    Case("two cards", "bom", bom(lambda document, model: document["components"].append({**model, "bom-ref": "n"})),
         None, "there are 2"),
    Case("https in conformsTo", "croissant",
         sheet(lambda document: document.update(conformsTo="https://mlcommons.org/croissant/1.1")), None, "exactly"),
    Case("creator as a text", "croissant", sheet(lambda document: document.update(creator="Shop")), None, "sc:Person"),
    Case("http vocabulary", "croissant", sheet(
        lambda document: document["@context"].update({"sc": "http://schema.org/"})), None, "https"),
    Case("short checksum", "croissant",
         sheet(lambda document: document["distribution"][0].update(sha256="5e" * 20)), None, "64"),
    Case("croissant of 1.1 without a creator", "croissant", sheet(lambda document: document.pop("creator")), 1,
         "“creator” is missing"),
    Case("text of another type", "croissant", sheet(
        lambda document: document.update({"rai:dataBiases": [{"a": 1}]})), None, "valid string"),
    Case("library inside of an application", "bom", bom(
        lambda document, model: document.update(
            components=[{"type": "application", "name": "a", "components": [{**model, "type": "library"}]}])),
         None, "learning-model"),
    Case("a file of another kind", "croissant", sheet(
        lambda document: document["distribution"][0].update({"@type": "sc:Thing"})), None, "cr:FileObject or cr"),
    Case("a file without a kind", "croissant",
         sheet(lambda document: document["distribution"][0].pop("@type")), None, "cr:FileObject"),
    Case("records of another kind", "croissant", sheet(
        lambda document: document.update(recordSet=[{"@type": "cr:Field", "@id": "r"}])), None, "cr:RecordSet"),
    Case("a field of another kind", "croissant", sheet(
        lambda document: document.update(recordSet=[
            {**FIELD, "field": [{"@type": "sc:WRONG_TYPE", "@id": "r/a", "dataType": "sc:Text"}]}])), None, "cr:Field"),
    Case("a field with no type in its list", "croissant", sheet(
        lambda document: document.update(recordSet=[
            {**FIELD, "field": [{"@type": "cr:Field", "@id": "r/a", "dataType": []}]}])), None, "dataType"),
    Case("files without a form", "croissant", sheet(
        lambda document: document["distribution"].append({"@type": "cr:FileSet", "@id": "s", "includes": "*"})), None,
         "encodingFormat"),
    Case("wrong MD5", "croissant", sheet(lambda document: document["distribution"][0].update(md5="x")), None, "32"),
    Case("day that is none", "croissant",
         sheet(lambda document: document.update(datePublished="2026-02-30")), None, "2026-01-31"),
    Case("field without a type", "croissant",
         sheet(lambda document: document.update(recordSet=[FIELD])), None, "dataType"),
    Case("too long a name", "croissant", sheet(lambda document: document.update(name="x" * 500)), None, "400"),
]  # fmt: skip


@pytest.mark.parametrize("case", CARDS, ids=lambda case: case.name)
def test_a_card_of_others_is_read_and_written_without_loss(case: Case) -> None:
    module = FORMS[case.form]

    card = module.read(case.data)
    written = module.write(card)
    again = module.read(written)

    assert again == card
    assert module.write(again) == written
    if case.form != "hub":
        assert json.loads(written) == json.loads(case.data)


@pytest.mark.parametrize("case", [case for case in CARDS if case.form == "hub"], ids=lambda case: case.name)
def test_what_is_written_says_the_same_to_readers_of_yaml_1_1(case: Case) -> None:
    written = huggingface.write(huggingface.read(case.data)).decode()
    if not written.startswith("---"):
        return

    block = written.replace("\r\n", "\n").split("\n---\n")[0].removeprefix("---\n").removesuffix("---\n")

    assert (yaml.safe_load(block) or {}) == huggingface.read(case.data).kept["huggingface"]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_card_that_is_wrong_is_refused_with_its_line(case: Case) -> None:
    with pytest.raises(DocumentRefused, match=case.says) as refused:
        FORMS[case.form].read(case.data)

    is_sized = "larger" in case.says
    assert (refused.value.line is not None) is not is_sized
    assert case.line in (None, refused.value.line)


def test_the_text_behind_keeps_its_line_ends_and_so_does_the_block() -> None:
    data = hub("license: mit", "# Card\n\nText\n", end="\r\n")

    assert huggingface.write(huggingface.read(data)) == data


def test_what_is_not_in_the_list_of_licences_is_written_as_a_name() -> None:
    card = huggingface.read(hub("license: llama3.1"))

    written = json.loads(cyclonedx.write(card))

    assert written["components"][0]["licenses"] == [{"license": {"name": "llama3.1"}}]
