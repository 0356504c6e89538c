"""The OpenAPI document as the judge of requests: which are well formed, and who may send them."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
from django.test import Client

_WHOLE = re.compile(r"-?[0-9]+")
# Rules that no JSON Schema can state: of each list, the members by which an entry is named once (``description``).
_NAMED_ONCE = {
    "/api/v1/consents": ("choices", ("purpose", "channel", "recipient", "data_category")),
    "/api/v1/items": ("items", ("id",)),
    "/api/v1/prices": ("items", ("item",)),
    "/api/v1/banner/{site}/choices": ("choices", ("purpose", "part")),
}


def read_document() -> dict[str, Any]:
    answer = Client(SERVER_NAME="localhost").get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    document: dict[str, Any] = json.loads(answer.content)
    return document


@dataclass(frozen=True, eq=False)
class Operation:
    """One method of one path, and all that the document says about it."""

    document: dict[str, Any]
    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def described(self) -> dict[str, Any]:
        operation: dict[str, Any] = self.document["paths"][self.path][self.method]
        return operation

    @property
    def scope(self) -> str | None:
        """The scope a credential needs; None where none is needed."""
        security = self.described["security"]
        return security[0]["service_credential"][0] if security else None

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.described

    @property
    def takes_query(self) -> bool:
        return any(parameter["in"] == "query" for parameter in self.described.get("parameters", ()))

    def is_well_formed(self, request: Any) -> bool:
        """Whether the document allows what was sent: the body, the query and the headers that are described."""
        return (
            self._allows_parameters("header", {name: [value] for name, value in request.headers.items()})
            and self._allows_parameters("query", parse_qs(urlsplit(request.url).query, keep_blank_values=True))
            and (not self.takes_body or self._allows_body(request.body))
        )

    def _allows_parameters(self, place: str, sent: dict[str, list[str]]) -> bool:
        for parameter in self.described.get("parameters", ()):
            values = sent.get(parameter["name"]) if parameter["in"] == place else None
            if values and not self._validator(parameter["schema"]).is_valid(_value(values[-1], parameter["schema"])):
                return False
        return True

    def _allows_body(self, body: bytes | None) -> bool:
        try:
            value = json.loads(body or b"")
        except ValueError:
            return False
        (content,) = self.described["requestBody"]["content"].values()
        return self._validator(content["schema"]).is_valid(value) and not self._names_twice(value)

    def _names_twice(self, value: Any) -> bool:
        if self.path not in _NAMED_ONCE:
            return False
        name, members = _NAMED_ONCE[self.path]
        named = [tuple(entry.get(member) for member in members) for entry in value[name]]
        return len(set(named)) < len(named)

    def _validator(self, schema: dict[str, Any]) -> Any:
        whole = {**schema, "components": self.document["components"]}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def operations(document: dict[str, Any]) -> list[Operation]:
    return [Operation(document, path, method) for path, methods in document["paths"].items() for method in methods]


def _value(text: str, schema: dict[str, Any]) -> Any:
    return int(text) if schema.get("type") == "integer" and _WHOLE.fullmatch(text) else text
