"""Five versions of a purpose's terms: what is remembered follows from what was agreed, and not from who agreed."""

import os
import resource
from typing import Any

import pytest

from consent.models import DataCategory, Purpose
from policies.bundles import loading
from policies.decisions import evaluate
from policies.decisions.information import Information
from policies.decisions.questions import Question
from policies.models import ActiveBundle
from tests.helpers.registers import in_force, make_officer, widened
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db
_STATES = ("given", "given", "given", "refused", "withdrawn", None)
_REGIONS = ("DE", "FR", "ES", "IT", "NL", "GB")
_VERSIONS = 5


@pytest.fixture
def revision(register_in_force: None) -> str:
    """The register after four more kinds of data, each with the next version of the notice, which asks nobody again."""
    anna, ben = make_officer("anna"), make_officer("ben")
    data = list(Purpose.objects.get(slug="recommendations").data_categories)
    others = DataCategory.objects.exclude(slug__in=data).order_by("slug").values_list("slug", flat=True)
    for kind in list(others)[: _VERSIONS - 1]:
        data = [*data, kind]
        in_force(anna, ben, *widened("recommendations", is_material=False, data_categories=data))
    found = ActiveBundle.objects.get().bundle_id
    assert len(loading.loaded(found).purposes["recommendations"].beyond) == _VERSIONS - 1
    return found


def person(number: int, revision: str, *, versions: int) -> Information:
    """A person with a number of their own in everything that is theirs alone."""
    state = _STATES[number % len(_STATES)]
    entry: Any = {
        "s": state, "n": 1 + number // 6 % versions, "x": 4_000_000_000 + number, "e": number % 2 == 0,
        "r": f"{number:032x}", "t": 1_767_225_600 + number, "src": "banner",
    }  # fmt: skip
    return Information(
        caller="service:shop", credential_valid=True, has_scope=True, bundle_revision=revision,
        subject_revision=number + 1, region=_REGIONS[number // 7 % len(_REGIONS)], age_band="adult",
        consents={"recommendations": entry} if state else {},
    )  # fmt: skip


def ask_for_all(people: range, revision: str, *, versions: int) -> int:
    """Ask about everybody; return how many answers were not remembered."""
    question = Question(subject_ref=evaluate.information.NO_SUBJECT, action="personalize", purpose="recommendations")
    before = len(evaluate.VERDICTS)
    for number in people:
        evaluate.preview(question, known=person(number, revision, versions=versions))
    return len(evaluate.VERDICTS) - before


@scale("people", small=4_000, long=1_000_000)
def test_versions_of_terms_take_no_memory_for_each_person(
    revision: str, people: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ask_for_all(range(2_000), revision, versions=1)
    evaluate.VERDICTS.clear()
    first = ask_for_all(range(2_000), revision, versions=_VERSIONS)
    memory, used = evaluate.VERDICTS.held_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    more = ask_for_all(range(2_000, 2_000 + people), revision, versions=_VERSIONS)

    assert more == 0, "nobody is answered by an entry of their own"
    assert evaluate.VERDICTS.held_bytes == memory
    # One entry for each difference that an older agreement makes to a yes; a no is the same whatever it was to.
    assert one < first <= one * _VERSIONS
    if people >= 1_000_000:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used
        with capsys.disabled():
            print(
                f"\n{people:,} people, {_VERSIONS} versions: {first} entries (one version: {one}), {memory:,} bytes, "
                f"peak of the process {grown:+,} KiB, load {os.getloadavg()[0]:.1f}"
            )
