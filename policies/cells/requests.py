"""A request about people, from an authenticated caller, with the questions it holds."""

from dataclasses import dataclass
from typing import Any

from policies.cells.routes import Document, SubjectRoute
from policies.endpoints.wsgi import Environ


@dataclass(frozen=True)
class SubjectRequest:
    """A parsed request. ``questions`` has one entry for each answer; ``stop`` is the decision that ends a batch."""

    environ: Environ
    route: SubjectRoute
    document: Document
    questions: list[Document]
    is_batch: bool
    stop: bool | None

    @classmethod
    def of(cls, environ: Environ, route: SubjectRoute, document: Document) -> "SubjectRequest":
        """Parse a request. Raises ValueError for what the endpoint itself will refuse."""
        questions = route.questions(document)
        stop = None if questions is None else route.stops_after(document)
        return cls(environ, route, document, questions or [document], questions is not None, stop)

    @property
    def path(self) -> str:
        return str(self.environ["PATH_INFO"])

    def part(self, numbers: list[int]) -> Document:
        """Return a request for some of the questions, all of which are to be answered."""
        if len(numbers) == len(self.questions):
            return self.document
        items = str(self.route.items)
        rest = {name: value for name, value in self.document.items() if name != "options"}
        return {**rest, items: [self.document[items][number] for number in numbers]}

    def whole(self, answers: list[Any]) -> Any:
        """Return the answers as one document, in the order of the questions."""
        if not self.is_batch:
            return answers[0]
        kept = []
        for answer in answers:
            kept.append(answer)
            if self.stop is not None and answer["decision"] is self.stop:
                break
        return {str(self.route.items): kept}
