"""An opt-out signal of a known person is remembered where the law binds, and only a yes in spite of it lifts it."""

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from consent.ledger import ledger, opt_outs
from consent.ledger.proof import Asked
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from policies.decisions.evaluate import preview
from policies.decisions.questions import Question

pytestmark = pytest.mark.django_db
PERSON = "customer-1"
GPC = Asked(interface="web@1", signals={"gpc": True})


@pytest.fixture
def save(register_in_force):
    def saved(choice, *, region="US-CA", asked=None, purpose="recommendations", **more):
        return ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(PERSON),
                choices=[ledger.Choice(purpose=purpose, choice=choice, **more)],
                source="api",
                actor="service:shop",
                region=region,
                age_band="adult",
                asked=asked,
            )
        )

    return saved


def _person():
    return DataSubject.objects.get(ref=subject_ref(PERSON))


def _level():
    """What a request would get that carries no signal itself."""
    question = Question(
        subject_ref=subject_ref(PERSON),
        action="personalize",
        purpose="recommendations",
        data_categories=("views",),
        processing_region="us-east",
        segment_size=100,
    )
    return preview(question).verdict.level


@pytest.mark.parametrize(
    ("region", "asked", "remembered"),
    [
        ("US-CA", GPC, True),
        ("US-CO", GPC, True),
        ("US-CA", None, False),
        ("US-CA", Asked(signals={"gpc": False}), False),
        ("DE", GPC, "gpc" in opt_outs.match("DE").pack.binding_signals),
    ],
)
def test_a_signal_that_came_with_a_choice_is_remembered_where_the_law_says_so(save, region, asked, remembered):
    save("refuse", purpose="newsletter", region=region, asked=asked)

    assert (_person().gpc_since is not None) == remembered


def test_what_is_remembered_counts_for_requests_without_the_signal(save):
    save("give")
    before = _level()

    opt_outs.remember(subject_ref(PERSON))

    assert (before, _level()) == ("individual", "segment")


def test_only_a_yes_of_somebody_who_was_told_lifts_it(save):
    save("give", asked=GPC)
    assert _level() == "segment"

    save("give")
    assert _level() == "segment"

    save("give", told_of_conflict=True)
    assert _level() == "individual"


def test_the_first_time_stays_and_is_audited_once(save):
    save("give")

    opt_outs.remember(subject_ref(PERSON))
    since = _person().gpc_since
    opt_outs.remember(subject_ref(PERSON))
    save("refuse", asked=GPC)

    assert _person().gpc_since == since < timezone.now()
    assert AuditEvent.objects.filter(action="consent.signal_remembered").count() == 1


def test_nobody_becomes_known_by_a_signal(register_in_force):
    opt_outs.remember(subject_ref("stranger"))

    assert not DataSubject.objects.exists()
    assert not AuditEvent.objects.filter(action="consent.signal_remembered").exists()


def test_the_signal_ends_use_and_deletes_nothing(save):
    save("give")

    opt_outs.remember(subject_ref(PERSON))

    assert list(ConsentRecord.objects.values_list("state", flat=True)) == ["given"]
