"""A person with a browser that runs no scripts: forms are found in the page and sent as they stand there."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from consent import links
from consent.pseudonyms import subject_ref


class _Forms(HTMLParser):
    """The forms of a page as a browser without JavaScript would send them: action, fields, and the buttons' values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "method": given.get("method", ""), "fields": {}})
            self.forms[-1]["choices"] = []
        elif tag == "input" and self.forms and (given.get("type") != "checkbox" or "checked" in given):
            self.forms[-1]["fields"][given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms and "name" in given:
            self.forms[-1]["choices"].append(given["value"])


def forms_in(response: Any) -> list[dict[str, Any]]:
    parser = _Forms()
    parser.feed(response.content.decode())
    return parser.forms


def follow_link(browser: Client, path: str) -> Any:
    """Follow a link to the privacy page and press the button there; return the answer to the button."""
    (form,) = forms_in(browser.get(path))
    return browser.post(form["action"], form["fields"])


class Visitor:
    """Somebody with a browser that runs no scripts and sends forms with their tokens."""

    def __init__(self, business_id: str) -> None:
        self.ref = subject_ref(business_id)
        self.browser = Client(enforce_csrf_checks=True)

    def come_in(self) -> "Visitor":
        token, _link = links.issue_link(subject_ref=self.ref, issued_by="service:shop")
        assert follow_link(self.browser, f"/privacy/open/{token}").status_code == 302
        return self

    def look(self, **headers: str) -> Any:
        response = self.browser.get("/privacy/", headers=headers)
        assert response.status_code == 200
        return response

    def form_of(self, purpose: str) -> dict[str, Any]:
        forms = [form for form in forms_in(self.look()) if form["fields"].get("purpose") == purpose]
        assert len(forms) == 1, f"{purpose} has {len(forms)} forms"
        return forms[0]

    def press(self, form: dict[str, Any], choice: str | None = None) -> Any:
        """Send a form as the browser would, and look at the page it leads to."""
        fields = {**form["fields"], **({"choice": choice} if choice else {})}
        return self.browser.post(form["action"], fields, follow=True)

    def choose(self, purpose: str, choice: str) -> Any:
        return self.press(self.form_of(purpose), choice)

    def states(self) -> dict[str, str]:
        return {purpose["slug"]: purpose["state"] for purpose in self.look().context["purposes"]}


def question(person: str = "customer-1") -> dict[str, Any]:
    """What a service asks before it recommends."""
    return {
        "subject": {"type": "data_subject", "id": person},
        "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
        "resource": {"type": "personalization", "id": "home", "properties": {"data_categories": ["views"]}},
        "context": {"processing_region": "eu-central"},
    }
