"""Pages of reviewers: the queue with its figures, an output without identity, and verdicts by plain forms."""

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from audit.models import AuditEvent
from common.admin_pages import display
from consent.pseudonyms import subject_ref
from model_registry.reviews import panel
from model_registry.reviews.models import Output, Review, Verdict
from model_registry.reviews.outputs import sealing
from model_registry.reviews.verdicts.kappa import Agreement, cohens_kappa
from personalization.review.outputs import masked
from tests.helpers import mask_rules
from tests.helpers.officers import signed_in, with_role
from tests.personalization.review.conftest import PERSON, judge, output_of, slugs

pytestmark = pytest.mark.django_db
QUEUE = "/admin/reviews/"


@pytest.fixture
def browser() -> Client:
    return signed_in(with_role("handler", "request-handler"))


def page_of(review: Review) -> str:
    return f"{QUEUE}{review.pk}/"


def sent(browser: Client, review: Review, act: str, **fields: Any) -> str:
    answer = browser.post(page_of(review), {"act": act, "seen": review.digest, **fields}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.usefixtures("marked")
def test_the_queue_leads_to_the_output_and_back(browser: Client, waiting: Any, shop: Any) -> None:
    review = waiting()

    queue = browser.get(QUEUE).content.decode()
    assert page_of(review) in queue
    assert page_of(review) in browser.get("/admin/").content.decode()
    page = browser.get(page_of(review)).content.decode()
    titles = [item["title"] for item in sealing.intact(output_of(review))["items"]]
    assert all(title in page for title in titles)
    assert "Because you liked" in page
    assert "Germany" in page or "DE" in page
    assert AuditEvent.objects.filter(action="review.looked_at", object=f"review {review.pk}").count() == 1


@pytest.mark.usefixtures("marked")
def test_no_page_says_who_the_person_is(browser: Client, waiting: Any) -> None:
    review = waiting()

    for path in (QUEUE, page_of(review)):
        page = browser.get(path).content.decode()
        assert PERSON not in page
        assert str(subject_ref(PERSON)) not in page


@pytest.mark.usefixtures("marked")
def test_what_is_masked_for_the_person_is_masked_for_the_reviewer(browser: Client, waiting: Any, ask: Any) -> None:
    mask_rules.rule("words", "title", "why", "despite", "because")
    review = waiting()
    items = sealing.intact(output_of(review))["items"]
    assert all(item["title"] and item["why"] for item in items), "the list is kept in full"

    page = browser.get(page_of(review)).content.decode()

    assert not any(item["title"] in page or item["why"] in page for item in items)
    assert all(item["item"] in page for item in items)
    assert "Masked by a rule, here as for the person: because, despite, title, why." in page
    assert "Show what is masked" not in page
    assert browser.get(f"{page_of(review)}?unmasked").status_code == 403
    decided = sent(browser, review, "approve")
    assert "Approved." in decided
    assert not any(item["title"] in decided for item in items)
    assert all(item["title"] is None for item in ask()["items"])


@pytest.mark.usefixtures("marked")
def test_an_officer_with_the_right_shows_what_is_masked_and_the_trail_says_so(waiting: Any) -> None:
    mask_rules.rule("words", "title", "why")
    review = waiting()
    items = sealing.intact(output_of(review))["items"]
    browser = signed_in(with_role("petra", "privacy-officer"))
    unmasked = AuditEvent.objects.filter(action="review.unmasked", object=f"review {review.pk}")

    page = browser.get(page_of(review)).content.decode()
    assert "?unmasked" in page
    assert not any(item["title"] in page for item in items)
    assert not unmasked.exists()

    page = browser.get(f"{page_of(review)}?unmasked").content.decode()
    assert all(escape(item["title"]) in page for item in items)
    assert unmasked.count() == 1


@pytest.mark.usefixtures("marked")
def test_an_output_that_does_not_say_what_is_masked_shows_nothing_that_any_rule_masks(waiting: Any) -> None:
    content = sealing.intact(output_of(waiting()))
    older = {name: value for name, value in content.items() if name != "masked"}

    mask_rules.rule("somewhere", "why", regions=["US"])

    assert [item["why"] for item in masked(older)["items"]] == [None] * len(older["items"])
    assert [item["why"] for item in masked(content)["items"]] == [item["why"] for item in content["items"]]


@pytest.mark.usefixtures("marked")
def test_an_output_is_approved_by_a_form(browser: Client, waiting: Any, ask: Any) -> None:
    review = waiting()
    assert "This output is yours to judge." in sent(browser, review, "claim")

    page = sent(browser, review, "approve")

    assert "Approved." in page
    assert "Approve as changed" not in page
    assert ask()["level"] == "individual"


@pytest.mark.usefixtures("marked")
def test_places_make_a_changed_list(browser: Client, waiting: Any, ask: Any) -> None:
    review = waiting()
    first, second, third, *rest = [item["item"] for item in sealing.intact(output_of(review))["items"]]
    places = {
        f"place-{first}": "2",
        f"place-{second}": "1",
        f"place-{third}": "",
        **{f"place-{slug}": "9" for slug in rest},
    }

    sent(browser, review, "change", reason="The third is unfit.", **places)

    assert slugs(ask()) == [second, first, *rest]


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("change", {"reason": "x"}, "at least one item"),
        ("reject", {"reason": ""}, "Say why"),
        ("escalate", {"reason": ""}, "Say why"),
        ("dance", {}, "Approve, change, reject or escalate"),
        ("approve", {"seen": "0" * 64}, "Look at the output again"),
    ],
)
def test_a_refusal_is_said_and_changes_nothing(
    browser: Client, waiting: Any, act: str, fields: dict[str, Any], said: str
) -> None:
    review = waiting()

    assert said in sent(browser, review, act, **fields)

    review.refresh_from_db()
    assert (review.state, Verdict.objects.count()) == ("waiting", 0)


@pytest.mark.usefixtures("marked")
def test_a_place_that_is_no_number_is_refused(browser: Client, waiting: Any) -> None:
    review = waiting()
    first = sealing.intact(output_of(review))["items"][0]["item"]

    assert "A place is a number" in sent(browser, review, "change", reason="x", **{f"place-{first}": "first"})


@pytest.mark.usefixtures("marked_for_two")
def test_the_second_reviewer_does_not_see_the_first_verdict(browser: Client, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "reject", anna, reason="Unfit for a minor.")

    page = browser.get(page_of(review)).content.decode()
    assert "One verdict is given. It is shown when the second is." in page
    assert "Unfit" not in page
    assert "Reject, by" not in page

    page = sent(browser, review, "approve")
    # Both are given and differ: a third reviewer reads them.
    assert "Unfit for a minor." in page
    assert "You have judged this output." in page


@pytest.mark.usefixtures("marked")
def test_an_altered_output_is_shown_to_nobody(browser: Client, waiting: Any) -> None:
    review = waiting()
    content = sealing.intact(output_of(review))
    content["items"][0]["title"] = "Forged title"
    Output.objects.filter(pk=review.pk).update(sealed=sealing.seal(content, review))

    page = browser.get(page_of(review)).content.decode()

    assert "Forged title" not in page
    assert "It is not shown to anybody." in page
    assert 'value="approve"' not in page


@pytest.mark.usefixtures("marked")
def test_who_may_not_judge_sees_the_queue_or_nothing(waiting: Any) -> None:
    review = waiting()
    auditor, marketing = signed_in(with_role("aud", "auditor")), signed_in(with_role("mark", "marketing"))

    assert auditor.get(QUEUE).status_code == 200
    assert page_of(review) not in auditor.get(QUEUE).content.decode()
    assert auditor.get(page_of(review)).status_code == 403
    assert auditor.post(page_of(review), {"act": "approve", "seen": review.digest}).status_code == 403
    assert marketing.get(QUEUE).status_code == 403


@pytest.mark.usefixtures("marked_for_two")
def test_the_page_of_a_version_has_a_panel_with_the_figures(waiting: Any, anna: Any, ben: Any, deployed: Any) -> None:
    assert panel.REVIEWS.draw(deployed) == ""
    review = waiting()
    judge(review, "approve", anna)
    judge(review, "approve", ben)

    officer = signed_in(with_role("officer", "privacy-officer"))
    page = officer.get(f"/admin/model_registry/modelversion/{deployed.pk}/change/").content.decode()

    assert "Reviews by people" in page
    assert "All verdicts are the same" in page


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        (Agreement(0), display.NOTHING),
        (
            cohens_kappa([("approve", "reject"), ("approve", "approve")]),
            "0.00, 2 outputs judged twice. Fewer than 10 pairs",
        ),
        (
            cohens_kappa([("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15),
            "0.40 (95 per cent interval 0.15 to 0.65), 50 outputs judged twice",
        ),
    ],
)
def test_agreement_in_words(agreement: Agreement, words: str) -> None:
    assert panel.in_words(agreement).startswith(words)
