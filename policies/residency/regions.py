"""Map a cloud's region to the residency group of its place, by the table ``cloud_regions.json``.

A region the table does not know has no group: a finding, never a pass. Officers name their own in the register of
processing regions, which the policy asks first.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).parent / "cloud_regions.json"
_PROVIDERS = ("aws", "google", "azurerm")
_ZONE = {
    "aws": re.compile(r"([a-z]{2,4}(?:-[a-z]+)+-[0-9]+)[a-z]"),
    "google": re.compile(r"([a-z]+-[a-z]+[0-9]+)-[a-z]"),
    "azurerm": re.compile(r"([a-z]+[0-9]?)-[0-9]"),  # the zones of AKS nodes: westeurope-2
}
# The form of a region that a text of any member can be taken for; "eu" or "us" can be many things.
_FORM = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-?[0-9]+(?:-?[a-z])?")
_AZURE_FORM = re.compile(r"usgov[a-z]+|[a-z]*(?:north|south|east|west|central)[a-z]*[0-9]?")
_AWS_HOST = re.compile(
    r"(?:^|[./@-])([a-z]{2,4}(?:-[a-z]+)+-[0-9])\.(?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?(?![a-z0-9.-])"
)
_GOOGLE_HOST = re.compile(
    r"(?:^|[/.])([a-z]+-[a-z]+[0-9]+)(?:-[a-z0-9-]+\.cloudfunctions\.net|\.run\.app)(?![a-z0-9.-])"
)
# Images and tokens come from there; nothing is kept there.
_NO_STORE_HOST = re.compile(r"\.dkr\.ecr\.|(?:^|[/.])(?:oidc\.eks|cognito-idp|public\.ecr)\.")


def tidy(provider: str, region: str) -> str:
    """Normalise a name: ``West Europe`` is westeurope, ``eu-central-1a`` and ``europe-west2-b`` are their regions."""
    name = region.strip().lower()
    if provider == "azurerm":
        name = name.replace(" ", "")
    for known, zone in _ZONE.items():
        match = zone.fullmatch(name) if provider in ("", known) else None
        # Azure's form alone is too wide: only of a region of the table is it a zone.
        if match and (known != "azurerm" or match[1] in _groups()[known]):
            return match[1]
    return name


def group_of(provider: str, region: str) -> str:
    """Return the residency group, empty where unknown. Without a provider, only an unambiguous name counts."""
    tables = _groups()
    searched = [provider] if provider in tables else list(tables)
    found = {tables[name].get(tidy(name, region)) for name in searched} - {None}
    return str(found.pop()) if len(found) == 1 else ""


def is_region(provider: str, text: str) -> bool:
    """Return whether a text is a region or zone by its form and by the table: it needs no member that says so."""
    name = text.strip().lower()
    if _FORM.fullmatch(name):
        return bool(group_of(provider, name))
    azure = name.replace(" ", "")
    return provider in ("", "azurerm") and bool(_AZURE_FORM.fullmatch(azure)) and azure in _groups()["azurerm"]


def arn_region(arn: str) -> str:
    """Return the region an ARN of AWS names, empty where it names none."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def host_region(text: str) -> str:
    """Return the region in the name of a cloud's host that data is sent to, empty where there is none."""
    host = text.lower()
    found = None if _NO_STORE_HOST.search(host) else _AWS_HOST.search(host) or _GOOGLE_HOST.search(host)
    return found[1] if found else ""


def azure_pair(region: str) -> str:
    """Return where Azure keeps the geo-redundant copy of a region's data; empty where that is not known."""
    pairs: dict[str, str] = _table()["azurerm_pairs"]
    return pairs.get(tidy("azurerm", region), "")


def google_backup_region(region: str) -> str:
    """Return the multi-region of Cloud SQL's backups: the nearest to the instance unless configured."""
    continent = tidy("google", region).split("-")[0]
    return {"europe": "eu", "us": "us", "asia": "asia"}.get(continent, "")


@lru_cache(maxsize=1)
def _groups() -> dict[str, dict[str, str]]:
    return {
        provider: {region: group for group, regions in _table()[provider].items() for region in regions}
        for provider in _PROVIDERS
    }


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text())
    return table
