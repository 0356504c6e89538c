"""The banner in a browser, as tests drive and read it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from consent.models import ConsentRecord, Purpose, Site
from consent.register import register
from governance.demo.register import SHOP
from tests.helpers.browser import AXE
from tests.helpers.paths import CHECKOUT

ARTIFACTS = CHECKOUT / "artifacts"
PATIENCE_MS = 300_000
FOREIGN = "http://127.0.0.1:9099"
FOREIGN_HOST = "http://www.shop.example"
OTHER_HOST = "http://blog.shop.example"
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
API = re.compile(r"/api/v1/banner/")
CHOICES = re.compile(r"/api/v1/banner/.*/choices")
SIGNAL = 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true });'
ALL = {"personalization", "recommendations", "newsletter"}
GPC: dict[str, Any] = {"scripts": SIGNAL, "extra_http_headers": {"Sec-GPC": "1"}}


def state_of(page: Any) -> dict[str, Any]:
    page.wait_for_function("() => window.assent && assent.state().ready")
    return dict(page.evaluate("assent.state()"))


def wait_for_given(page: Any, names: set[str]) -> None:
    """Wait until exactly these purposes are given."""
    page.wait_for_function(
        "names => window.assent && assent.state().ready && !assent.state().pending"
        " && assent.state().given.slice().sort().join() === names",
        arg=",".join(sorted(names)),
    )


def consent_signals(page: Any) -> list[tuple[str, dict[str, Any]]]:
    """What Google's tags would have been told, in order."""
    found = page.evaluate("dataLayer.map(entry => [...entry]).filter(entry => entry[0] === 'consent')")
    return [(entry[1], entry[2]) for entry in found]


def button(page: Any, name: str) -> Any:
    return page.get_by_role("dialog").get_by_role("button", name=name, exact=True)


def records() -> list[str]:
    return list(ConsentRecord.objects.order_by("recorded_at", "id").values_list("state", flat=True))


def hosts(server: str, domain: str = "") -> Callable[[Any], None]:
    """Serve every host of shop.example as one plain page with the banner."""
    Site.objects.filter(slug=SHOP).update(origins=[FOREIGN_HOST, OTHER_HOST])
    html = (
        "<!doctype html><html lang=en><title>Shop</title><body><h1>Shop</h1>"
        f'<script src="{server}/assent.js" data-site="{SHOP}" data-domain="{domain}" defer></script>'
    )

    def routes(context: Any) -> None:
        context.route(
            re.compile(r"^http://\w+\.shop\.example/"), lambda r: r.fulfill(body=html, content_type="text/html")
        )

    return routes


def shoot(page: Any, name: str, width: int, scheme: str, *, full: bool = False) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}-{width}-{scheme}.png", full_page=full)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is {wider} px wider than the screen of {width} px"


def faults_of(page: Any) -> list[Any]:
    if not AXE:
        return []
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [(fault["id"], json.dumps(fault["nodes"][0]["target"]), fault["nodes"][0]["html"][:200]) for fault in found]


def widen(*, is_material: bool = False, slug: str = "recommendations", **more: list[str]) -> None:
    """Let a purpose say more, with the next version of its notice."""
    purpose = Purpose.objects.get(slug=slug)
    for name, values in more.items():
        setattr(purpose, name, [*getattr(purpose, name), *values])
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="And where you are.", actor="officer:test", is_material=is_material)
