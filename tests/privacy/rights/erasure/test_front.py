"""The front answers from its memory, and of an erased person with the next question after the commit."""

import json
from typing import Any
from uuid import UUID

import pytest

from governance.front.django_threads import DjangoThreads
from policies.endpoints import credentials
from tests.helpers.front_server import ask, request, serving
from tests.helpers.wsgi_calls import EVALUATION, question
from tests.privacy.rights.erasure.conftest import PERSON, erased

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def front(known: UUID) -> Any:
    from governance.wsgi import application, begin

    with serving(application, begin=begin, threads=DjangoThreads()) as address:
        yield address


def test_the_front_knows_of_an_erasure_from_its_commit(front: Any) -> None:
    token, _row = credentials.create_credential(name="till", scopes=["decisions"], actor="test")
    sent = request(
        EVALUATION, "Content-Type: application/json", f"Authorization: Bearer {token}", method="POST",
        body=json.dumps(question(PERSON)).encode(),
    )  # fmt: skip

    def answer() -> Any:
        return json.loads(ask(front, sent).body)

    assert [answer()["decision"] for _ in range(3)] == [True] * 3  # remembered by now

    erased()

    said = answer()
    assert said["decision"] is False
    assert said["context"]["reasons"][0]["code"] == "subject_unknown"
