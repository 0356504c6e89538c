"""Content of ``demo``: a business with customers, and the story of one decision after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.launcher.errors import refused
from governance.launcher.process_specs import manage_command

# The restaurant and consumer data of the UCI Machine Learning Repository (doi:10.24432/C5DP41).
DATASET_FILES = ("geoplaces2.csv", "chefmozcuisine.csv", "rating_final.csv", "userprofile.csv")

# What its pages call it, unless BUSINESS_NAME says otherwise; a real installation never carries this name.
MADE_UP_BUSINESS = "Northwind Shop"


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """Commands to run once the instance is ready; ``exits`` ends the instance afterwards."""

    dataset: Path | None
    exits: bool

    def commands(self) -> list[Sequence[str]]:
        """Return the commands of the story, in order."""
        option = ("--dataset", str(self.dataset)) if self.dataset else ()
        return [manage_command(name, *option) for name in ("seed_demo", "demo_story")]


def demonstration(*, dataset: str | None, exits: bool) -> Demonstration:
    """Return the demonstration; raises InstanceError if ``dataset`` is not a folder with the four files."""
    if dataset is None:
        return Demonstration(dataset=None, exits=exits)
    folder = Path(dataset).absolute()
    if not folder.is_dir():
        raise refused(f"--dataset {folder} is not a folder.")
    missing = [name for name in DATASET_FILES if not (folder / name).is_file()]
    if missing:
        raise refused(f"--dataset {folder} lacks {', '.join(missing)}.")
    return Demonstration(dataset=folder, exits=exits)
