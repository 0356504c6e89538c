"""A stored model is whole, unchanged and plain data, or it is not loaded."""

import hashlib
import io
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from common.levels import Level
from governance.demo.datasets import demo_shop
from personalization.recommender import storage
from personalization.recommender.interactions import Interaction
from personalization.recommender.recipe import Band, Kind, Recipe, Spec
from personalization.recommender.training import train
from tests.helpers.paths import CHECKOUT

SHOP = demo_shop(people=120)
FORMER = CHECKOUT / "tests" / "data" / "recommender" / "former-1"
VECTORS = FORMER.with_name("former-2")
MODEL = train(SHOP.interactions, SHOP.items, SHOP.segments("region"))
HISTORY = [Interaction(item.id) for item in SHOP.items[:8]]
CREATED = datetime(2026, 3, 1, tzinfo=UTC)
FILES = ["arrays.npz", "items.json", "segments.json", "manifest.json"]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def stored(folder):
    storage.save(MODEL, folder, "shop", "1", created=CREATED)
    return folder / "shop-1"


def rewritten(place: Path, file: str, content: bytes) -> None:
    """Replace a file and make every checksum fit again, as somebody with write access could."""
    (place / file).write_bytes(content)
    manifest = storage.Manifest.model_validate_json((place / "manifest.json").read_bytes())
    files = {**manifest.files, file: hashlib.sha256(content).hexdigest()}
    manifest = manifest.model_copy(update={"files": files})
    manifest = manifest.model_copy(update={"digest": storage._digest(manifest)})
    (place / "manifest.json").write_text(manifest.model_dump_json())


@pytest.mark.parametrize("level", list(Level))
def test_a_loaded_model_answers_like_the_saved_one(folder, stored, level):
    loaded = storage.load(stored, folder=folder)

    asked = {"history": HISTORY, "session": HISTORY[:2], "segment": "region=DE", "count": 50}
    assert loaded.recommend(level, **asked) == MODEL.recommend(level, **asked)
    assert loaded.parameters == MODEL.parameters
    assert loaded.trained_on == MODEL.trained_on


def test_a_folder_of_the_former_schema_still_serves(folder):
    shutil.copytree(FORMER, folder / "former-1")
    history = [Interaction(item) for item in ("bread", "butter", "honey", "jam", "milk")]

    model = storage.load(Path("former-1"), folder=folder)
    served = model.recommend("individual", history=history, count=2, reasons=10)

    assert storage.read_manifest(folder / "former-1", folder=folder).schema_version == 1
    # What the release that wrote the folder gave for the same history.
    assert [one.item.id for one in served.recommendations] == ["oats", "tea"]
    assert [one.score for one in served.recommendations] == pytest.approx([0.45008978992700577] * 2)
    assert served.recommendations[0].because[0].contribution == pytest.approx(0.10582053661346436)
    assert model.recommend("segment", segment="region=DE").level_used is Level.SEGMENT
    assert model.recommend("individual", history=history[:4]).level_used is Level.NONE


def test_a_folder_whose_factors_are_vectors_still_serves(folder):
    shutil.copytree(VECTORS, folder / "former-2")

    model = storage.load(Path("former-2"), folder=folder)
    few = model.recommend("individual", history=[Interaction("bread")], count=3).recommendations
    more = [Interaction(item) for item in ("bread", "butter", "honey")]
    served = model.recommend("individual", history=more, count=3, reasons=10).recommendations

    assert storage.read_manifest(folder / "former-2", folder=folder).schema_version == 2
    # What the release that wrote the folder gave for the same histories.
    assert [one.item.id for one in few] == ["honey", "oats", "butter"]
    assert few[0].prior == pytest.approx(2.48283406928022)
    assert [one.item.id for one in served] == ["oats", "rice", "milk"]
    assert [one.score for one in served] == pytest.approx([12.311593860387802, 11.796058475971222, 10.472879320383072])
    assert served[0].because[0].contribution == pytest.approx(5.915785402059555)


def test_a_rank_is_no_member_of_the_second_schema(folder):
    shutil.copytree(VECTORS, folder / "former-2")
    place = folder / "former-2" / "manifest.json"
    manifest = json.loads(place.read_bytes())
    manifest["parameters"]["recipe"]["parts"][0]["rank"] = 48
    place.write_text(json.dumps(manifest))

    with pytest.raises(storage.ModelCorrupted):
        storage.load(Path("former-2"), folder=folder)


def test_parameters_of_one_schema_under_the_other_are_refused(folder):
    shutil.copytree(FORMER, folder / "former-1")
    manifest = json.loads((folder / "former-1" / "manifest.json").read_bytes())
    storage.Manifest.model_validate(manifest)

    with pytest.raises(ValueError, match="version"):
        storage.Manifest.model_validate({**manifest, "schema_version": 2})


@pytest.mark.parametrize(
    ("array", "spoilt"),
    [
        ("part_0_neighbours", lambda values: values + 1_000),
        ("part_0_neighbours", lambda values: values.astype(np.int64)),
        ("part_0_weights", lambda values: values[:-1]),
        ("part_0_weights", lambda values: np.full_like(values, np.nan)),
        ("part_0_out", lambda values: values[:-1]),
        ("scales", lambda values: values[:0]),
        ("popularity", lambda values: np.full_like(values, np.nan)),
        ("popularity", lambda values: values * np.inf),
        ("segments", lambda values: -values),
    ],
)
def test_arrays_that_do_not_fit_the_items_are_refused(folder, stored, array, spoilt):
    with np.load(stored / "arrays.npz") as arrays:
        contents = dict(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **{**contents, array: spoilt(contents[array])})
    rewritten(stored, "arrays.npz", buffer.getvalue())

    with pytest.raises(storage.ModelCorrupted):
        storage.load(stored, folder=folder)


def test_every_part_of_a_recipe_is_stored(folder):
    recipe = Recipe(
        (Spec(Kind.EASE, 30.0, 50.0, 4), Spec(Kind.NEAR, 3.0)), (Band(2, (1.0, 0.5), 0.8), Band(None, (1.0, 1.0))), 1
    )
    model = train(SHOP.interactions, SHOP.items, SHOP.segments("region"), recipe=recipe)
    storage.save(model, folder, "shop", "2")

    loaded = storage.load(Path("shop-2"), folder=folder)

    assert loaded.parameters.recipe == recipe
    for few in (HISTORY[:1], HISTORY):
        asked = {"history": few, "segment": "region=DE"}
        assert loaded.recommend("individual", **asked) == model.recommend("individual", **asked)


def test_a_model_without_segments_is_stored_too(folder):
    model = train(SHOP.interactions, SHOP.items, {})

    storage.save(model, folder, "shop", "1")

    assert storage.load(Path("shop-1"), folder=folder).segments == {}


def test_the_manifest_says_what_the_model_is(folder):
    saved = storage.save(MODEL, folder, "shop", "1.2.0+eu", created=CREATED)

    read = storage.read_manifest(folder / "shop-1.2.0+eu", folder=folder)
    assert read == saved
    assert (read.name, read.version, read.created) == ("shop", "1.2.0+eu", CREATED)
    assert read.trained_on.people == 120
    assert read.parameters.min_segment == 20


def test_the_same_model_is_stored_as_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        storage.save(MODEL, tmp_path / folder, "shop", "1", created=CREATED)

    for file in FILES:
        contents = {(tmp_path / folder / "shop-1" / file).read_bytes() for folder in ("one", "two")}
        assert len(contents) == 1


def test_a_stored_version_never_changes(folder, stored):
    before = {file: (stored / file).read_bytes() for file in FILES}

    with pytest.raises(storage.VersionExists):
        storage.save(MODEL, folder, "shop", "1")

    assert {file: (stored / file).read_bytes() for file in FILES} == before
    storage.save(MODEL, folder, "shop", "2")


def test_of_two_saves_at_once_one_is_refused(folder, stored, monkeypatch):
    monkeypatch.setattr(Path, "exists", _not_there_the_first_time(stored))

    with pytest.raises(storage.VersionExists):
        storage.save(MODEL, folder, "shop", "1")

    assert [path.name for path in folder.iterdir()] == ["shop-1"]


def _not_there_the_first_time(target):
    really, asked = Path.exists, []

    def exists(path, **options):
        if path == target and not asked:
            asked.append(path)
            return False
        return really(path, **options)

    return exists


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_save_that_fails_leaves_nothing(folder, monkeypatch, failing):
    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "rename")), fail)

    with pytest.raises(OSError, match="No space"):
        storage.save(MODEL, folder, "shop", "1")

    assert list(folder.iterdir()) == []


def test_the_files_are_on_disk_before_the_name_appears(folder, monkeypatch):
    events = []
    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (events.append("fsync"), fsync(descriptor))[1])
    monkeypatch.setattr(Path, "rename", lambda path, to: (events.append("rename"), rename(path, to))[1])

    storage.save(MODEL, folder, "shop", "1")

    assert events == ["fsync"] * (len(FILES) + 1) + ["rename", "fsync"]


@pytest.mark.parametrize("file", FILES)
def test_one_changed_byte_is_found_and_its_file_named(folder, stored, file):
    content = bytearray((stored / file).read_bytes())
    content[len(content) // 2] ^= 1
    (stored / file).write_bytes(content)

    with pytest.raises(storage.ModelCorrupted, match=file):
        storage.load(stored, folder=folder)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(folder, stored, file):
    (stored / file).unlink()

    with pytest.raises(storage.ModelCorrupted, match=file):
        storage.load(stored, folder=folder)


@pytest.mark.parametrize("file", FILES)
def test_a_link_in_place_of_a_file_is_refused(folder, stored, tmp_path, file):
    (stored / file).rename(tmp_path / "elsewhere")
    (stored / file).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(storage.ModelCorrupted, match=file):
        storage.load(stored, folder=folder)


def test_a_file_that_does_not_belong_is_refused(folder, stored):
    (stored / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    with pytest.raises(storage.ModelCorrupted, match=r"model\.pkl"):
        storage.load(stored, folder=folder)


def test_a_changed_manifest_is_found(folder, stored):
    manifest = json.loads((stored / "manifest.json").read_bytes())
    manifest["parameters"]["min_segment"] = 2
    (stored / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(storage.ModelCorrupted, match=r"manifest\.json"):
        storage.read_manifest(stored, folder=folder)


def test_a_version_moved_to_another_name_is_refused(folder, stored):
    stored.rename(folder / "shop-2")

    with pytest.raises(storage.ModelCorrupted, match=r"manifest\.json"):
        storage.load(folder / "shop-2", folder=folder)


def test_an_exchanged_model_is_found_by_the_approved_digest(folder, stored):
    approved = storage.read_manifest(stored, folder=folder).digest
    storage.load(stored, folder=folder, digest=approved)
    rewritten(stored, "segments.json", b'{"people": 120, "segments": {}}')

    with pytest.raises(storage.ModelCorrupted, match="approved"):
        storage.load(stored, folder=folder, digest=approved)


def test_pickled_arrays_are_never_read(folder, stored):
    with np.load(stored / "arrays.npz") as arrays:
        contents = dict(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **{**contents, "popularity": np.array([{"an": "object"}] * 120, dtype=object)})
    rewritten(stored, "arrays.npz", buffer.getvalue())

    with pytest.raises(storage.ModelCorrupted):
        storage.load(stored, folder=folder)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("items.json", b"[]"),
        ("items.json", b"{"),
        ("segments.json", b'{"people": 1, "segments": {"a": 20}}'),
        ("segments.json", b"[]"),
        ("arrays.npz", b"not a zip file"),
    ],
)
def test_files_that_do_not_make_a_model_are_refused_whatever_their_checksums(folder, stored, file, content):
    rewritten(stored, file, content)

    with pytest.raises(storage.ModelCorrupted):
        storage.load(stored, folder=folder)


@pytest.mark.parametrize("path", ["../outside-1", "shop-1/../../outside-1", ".", "..", "/etc", "deeper/shop-1"])
def test_a_path_outside_the_folder_is_refused(folder, stored, tmp_path, path):
    shutil.copytree(stored, tmp_path / "outside-1")

    with pytest.raises(storage.PathRefused):
        storage.load(Path(path), folder=folder)


def test_a_link_out_of_the_folder_is_refused(folder, stored, tmp_path):
    stored.rename(tmp_path / "shop-1")
    stored.symlink_to(tmp_path / "shop-1")

    with pytest.raises(storage.PathRefused):
        storage.load(stored, folder=folder)


def test_a_model_that_is_not_there_is_not_found(folder, stored):
    with pytest.raises(storage.ModelNotStored):
        storage.load(Path("shop-9"), folder=folder)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("../shop", "1"),
        ("Shop", "1"),
        ("", "1"),
        ("shop", ""),
        ("shop", ".."),
        ("shop", "1-rc"),
        ("shop", "1/2"),
    ],
)
def test_names_that_would_not_make_one_folder_are_refused(folder, name, version):
    with pytest.raises(storage.PathRefused):
        storage.save(MODEL, folder, name, version)

    assert not folder.exists()
