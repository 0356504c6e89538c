"""The bundle file: a real OPA takes it with our key, and nothing else."""

import gzip
import io
import json
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from policies.bundles import bundle_file, bundle_keys, publishing
from policies.bundles.bundle_keys import BundleKey
from tests.helpers.policy_engines import REGISTER, Ask, opa_binary, opa_server
from tests.policies.decisions.test_policy_cases import all_cases, facts_of

REGISTER_ONLY = {name: value for name, value in REGISTER.items() if name != "revision"}
ODD = {"text": '\u2028 < > & \x7f \b \f \t é 😀 " \\ /', "empty": {}, "number": -(2**53) + 1}
KEY = BundleKey(ec.derive_private_key(4711, ec.SECP256R1()))


def _write(key: BundleKey = KEY, **more: Any) -> bytes:
    return bundle_file.write_bundle(
        REGISTER["revision"],
        publishing.read_policies(),
        {**REGISTER_ONLY, **more},
        sign=key.sign,
    )


def _verify(file: bytes, folder: Path, pem: str | None = None) -> subprocess.CompletedProcess[str]:
    """Let OPA load the file and check it with our key."""
    path, key = folder / "bundle.tar.gz", folder / "key.pem"
    path.write_bytes(file)
    key.write_text(pem or KEY.public_pem())
    command = [
        opa_binary(),
        "build",
        "-b",
        str(path),
        "--verification-key",
        str(key),
        "--signing-alg",
        bundle_keys.ALGORITHM,
    ]
    command += ["--signing-key", str(_private(folder)), "-o", str(folder / "out.tar.gz")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _private(folder: Path) -> Path:
    """`opa build` signs what it has verified; with which key does not matter here."""
    path = folder / "private.pem"
    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path)]
    subprocess.run(command, check=True, timeout=300)
    return path


def _contents(file: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(file), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


def test_the_same_revision_is_the_same_bytes() -> None:
    assert _write() == _write()


def test_the_manifest_names_the_revision_and_owns_all_of_it() -> None:
    manifest = json.loads(_contents(_write())["/.manifest"])

    assert manifest["revision"] == REGISTER["revision"]
    packages = {f"governance/{name}" for name in ("decision", "deployment", "release")}
    assert set(manifest["roots"]) == packages | set(REGISTER)


def test_a_module_without_a_package_is_no_bundle() -> None:
    with pytest.raises(bundle_file.NotABundle, match=r"x\.rego"):
        bundle_file.write_bundle("r", {"x.rego": "allow := true\n"}, {}, sign=lambda _: "")


def test_opa_takes_it_with_the_key_that_signed_it(tmp_path: Path) -> None:
    taken = _verify(_write(odd=ODD), tmp_path)

    assert taken.returncode == 0, taken.stdout + taken.stderr


def _flip_a_rule(files: dict[str, bytes]) -> None:
    files["/decision.rego"] = files["/decision.rego"].replace(b'"decision": false', b'"decision": true')


def _flip_a_row(files: dict[str, bytes]) -> None:
    files["/data.json"] = files["/data.json"].replace(b"consent", b"contract", 1)


def _add_a_module(files: dict[str, bytes]) -> None:
    files["/more.rego"] = b"package governance.decision\npermitted if true\n"


def _leave_a_module_out(files: dict[str, bytes]) -> None:
    del files["/residency.rego"]


def _take_the_signature_off(files: dict[str, bytes]) -> None:
    del files["/.signatures.json"]


@pytest.mark.parametrize(
    "tamper", [_flip_a_rule, _flip_a_row, _add_a_module, _leave_a_module_out, _take_the_signature_off]
)
def test_opa_refuses_what_was_tampered_with(tamper: Callable[[dict[str, bytes]], None], tmp_path: Path) -> None:
    files = _contents(_write())
    assert _verify(_packed(files), tmp_path).returncode == 0
    tamper(files)

    assert _verify(_packed(files), tmp_path).returncode != 0


def test_opa_refuses_another_key(tmp_path: Path) -> None:
    refused = _verify(_write(BundleKey(ec.generate_private_key(ec.SECP256R1()))), tmp_path)

    assert refused.returncode != 0
    assert "invalid ECDSA signature" in refused.stdout + refused.stderr


@pytest.mark.django_db
def test_a_server_decides_by_a_file_signed_with_the_key_of_the_instance(tmp_path: Path, ask_embedded: Ask) -> None:
    path, key = tmp_path / "bundle.tar.gz", tmp_path / "key.pem"
    path.write_bytes(bundle_file.write_bundle(REGISTER["revision"], publishing.read_policies(), REGISTER_ONLY))
    key.write_text(bundle_keys.current().public_pem())

    with opa_server("-b", str(path), "--verification-key", str(key), "--signing-alg", bundle_keys.ALGORITHM) as url:
        for case in all_cases()[::5]:
            facts = facts_of(case.values[0])
            asked = urllib.request.Request(
                f"{url}/v1/data/governance/decision/answer", data=json.dumps({"input": facts}).encode()
            )
            with urllib.request.urlopen(asked, timeout=120) as answer:
                assert json.load(answer)["result"] == ask_embedded(facts)
