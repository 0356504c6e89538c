"""A region that a caller states can only make the answer stricter than the register's, and a conflict is named."""

import pytest

from tests.helpers.wsgi_calls import question

pytestmark = pytest.mark.django_db
CONFLICT = ["region_conflict"]


@pytest.fixture
def asked(api):
    """Ask about a stored German whose data would be processed where the caller says."""
    assert api.save("customer-1", "give").status_code == 201

    def ask(region, processing="us-east"):
        properties = {"region": region} if region else {}
        subject = {"type": "data_subject", "id": "customer-1", "properties": properties}
        status, answer, _ = api.evaluate(question(subject=subject, context={"processing_region": processing}))
        assert status == 200
        return answer["decision"], [r["code"] for r in answer["context"]["reasons"]], answer["context"].get("warnings")

    return ask


def test_the_register_refuses_without_a_stated_region(asked):
    decision, reasons, warnings = asked(None)

    assert (decision, "residency" in reasons, warnings) == (False, True, None)


@pytest.mark.parametrize("region", ["US", "US-TX", "US-CA", "ZZ"])
def test_a_stated_region_turns_no_refusal_into_a_permit(asked, region):
    decision, _, warnings = asked(region)

    assert (decision, warnings) == (False, CONFLICT)


def test_a_stated_region_may_refuse_what_the_register_permits(asked):
    assert asked(None, "eu-central")[0] is True

    decision, _, warnings = asked("ZZ", "eu-central")

    assert (decision, warnings) == (False, CONFLICT)


def test_the_same_region_is_no_conflict(asked):
    assert asked("DE", "eu-central")[::2] == (True, None)
