"""Every table that names a person has a store behind the seam, or is listed here with the reason why not."""

import tomllib

from django.apps import apps
from django.conf import settings

from privacy.rights.stores import seam

# Columns that hold a person's pseudonym, or what can be joined to it.
NAMING = {
    "ref", "subject_ref", "subject_id", "subject_tag", "address_tag", "people", "object", "response", "sealed",
    "agent_request_id",
}  # fmt: skip
WITHOUT_STORE = {
    "privacy_holdmember": "what it says stands in the person's own row (held, restricted, limits)",
    "privacy_hold": "a register of officers; an erasure waits until the hold is released",
    "privacy_restriction": "a register of officers; an erasure waits until the restriction is released",
    "privacy_undopart": "encrypted rows of a run, for at most 31 days; an undo leaves out whoever was erased since",
    "oversight_workitem": "names requests and versions, no person",
    "oversight_approval": "names what two officers decide on, no person",
    "oversight_step": "names what two officers decide on, no person",
    "policies_heldtag": "of people who are held; an erasure waits for the end of the hold, and the rows go with it",
    "personalization_eventcount": "counts of groups that are large enough, no person",
    "personalization_alsobought": "a count of people for each pair of items",
    "personalization_popularitem": "a count of people for each item",
}


def _tables() -> dict[str, set[str]]:
    path = settings.BASE_DIR / "governance" / "stored_data.toml"
    described = tomllib.loads(path.read_text())
    return {
        table: {*about.get("personal", "").split(), *about.get("other", "").split()}
        for table, about in described.items()
    }


def test_every_table_that_names_a_person_has_a_store() -> None:
    covered = {table for store in seam.registered() for table in store.description.tables}
    naming = {table for table, columns in _tables().items() if columns & NAMING}

    assert naming - covered - WITHOUT_STORE.keys() == set()
    assert WITHOUT_STORE.keys() & covered == set()
    assert covered <= {model._meta.db_table for model in apps.get_models()}


def test_stores_cover_what_an_answer_must_name() -> None:
    names = {store.description.name for store in seam.registered()}

    assert names == {
        "answer_files", "consents", "contracts",
        "dashboard_links", "decisions", "deletions", "erasures", "events", "letters", "looks",
        "model_training", "outputs_under_review", "person", "release_keys",
        "release_tokens", "request_steps", "requests", "saved_answers", "showings",
        "terms", "trail",
    }  # fmt: skip
