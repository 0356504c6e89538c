"""The changelog by fragments: ``.ci/changelog``."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import CHECKOUT

SCRIPT = CHECKOUT / ".ci" / "changelog"
CHANGELOG = """# Changelog

About it.

## Unreleased

### Changed
- An older change.

## 0.1.0 (2026-01-01)

### Added
- The first.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "README.md").write_text("How.\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments, "--root", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fragment(root: Path, name: str, text: str) -> Path:
    path = root / "changes" / name
    path.write_text(text)
    return path


def test_release_moves_fragments_under_their_headings(root: Path):
    made = [
        fragment(root, "b-links.breaking.md", "Links end sooner:\nask again.\n"),
        fragment(root, "a-metric.added.md", "A metric.\n"),
    ]

    assert run(root, "build", "0.2.0").returncode == 0

    text = (root / "CHANGELOG.md").read_text()
    assert "## 0.2.0 (" in text
    assert "## Unreleased" not in text
    assert "### Changed\n- **Breaking:** Links end sooner:\n  ask again.\n- An older change.\n" in text
    assert text.index("An older change") < text.index("### Added\n- A metric.\n") < text.index("## 0.1.0 (2026-01-01)")
    assert text.endswith("### Added\n- The first.\n")
    assert [path.exists() for path in made] == [False, False]
    assert (root / "changes" / "README.md").exists()


def test_release_without_unreleased_part_gets_a_section_of_its_own(root: Path):
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0\n\n### Added\n- The first.\n")
    fragment(root, "a.fixed.md", "A fault.\n")

    assert run(root, "build", "0.2.0").returncode == 0

    text = (root / "CHANGELOG.md").read_text()
    assert text.index("## 0.2.0 (") < text.index("### Fixed\n- A fault.\n") < text.index("## 0.1.0\n\n### Added")


def test_showing_changes_nothing(root: Path):
    made = fragment(root, "a.added.md", "A metric.\n")

    shown = run(root, "show")

    assert "### Added\n- A metric.\n" in shown.stdout
    assert (made.exists(), (root / "CHANGELOG.md").read_text()) == (True, CHANGELOG)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.new.md", "A metric.\n", "name it NAME.KIND.md"),
        ("A.added.md", "A metric.\n", "name it NAME.KIND.md"),
        ("notes.txt", "A metric.\n", "name it NAME.KIND.md"),
        ("a.added.md", "- A metric.\n", "without its dash"),
        ("a.added.md", "A metric\n", "full stop"),
        ("a.added.md", "", "full stop"),
        ("a.added.md", "One.\n\nTwo.\n", "one bullet"),
        ("a.added.md", f"{'wide ' * 30}.\n", "100 columns"),
    ],
)
def test_fragment_that_cannot_be_built_is_refused(root: Path, name: str, text: str, complaint: str):
    fragment(root, name, text)

    checked = run(root, "check")

    assert (checked.returncode, name in checked.stdout, complaint in checked.stdout) == (1, True, True)
    assert run(root, "build", "0.2.0").returncode == 1
    assert (root / "CHANGELOG.md").read_text() == CHANGELOG


def test_fragments_of_the_repository_can_be_built():
    checked = run(CHECKOUT, "check")
    assert (checked.returncode, checked.stdout) == (0, "")
