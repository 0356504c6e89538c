"""Officers' page of noisy tables: their columns and public values, what they cost and how exact they will be."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from common import actors
from common.admin_pages.permissions import require, requires
from common.charts.counts import Figure, bars_figure
from common.http.problems import Problem
from consent.models import Party, Purpose
from privacy.budgets import ledger
from privacy.models import Statistic, TableRelease, UploadedTable
from privacy.releases import asking, gate, places
from privacy.releases.noisy.asking import Noise, NoisyAsked, Plan, may_pay
from privacy.releases.problems import AskedWrongly
from privacy.releases.profiling import Profile, Role, beginning
from privacy.releases.screens.fields import refused_fields, whole
from privacy.releases.subjects import PREPARE, VIEW


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW)
def form(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the form of noisy tables; a POST shows what they would cost, or asks for them."""
    row = get_object_or_404(UploadedTable, pk=pk)
    typed: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    if request.method == "POST":
        require(request, PREPARE)
        typed = request.POST.dict()
        try:
            asked = _asked(request)
            if typed.get("do") == "make":
                made = asking.ask(row, asked, actor=actors.officer(request))
                messages.success(request, "The tables are being made. It begins within a minute.")
                return redirect("release", pk=made.pk)
            asked.check(row)
            shown = {"plan": Plan.of(asked), "verdict": gate.ask(asked.facts())}
        except Problem as refused:
            wrong = refused_fields(request, refused)
    return render(
        request,
        "admin/releases/noisy.html",
        {**admin.site.each_context(request), **_form(row, typed), **shown, "wrong": wrong},
    )


def _form(row: UploadedTable, typed: dict[str, Any]) -> dict[str, Any]:
    begun = beginning(Profile(**column) for column in row.columns)
    person = next((name for name, role in begun.items() if role == Role.PERSON), "")
    defaults = {"epsilon": "0.5", "rows_each": "1", "days": "90", "person": person, "mechanism": "geometric"}
    # A template reads a key that is missing as the dictionary's own attribute, such as ``values``.
    defaults |= {"tables": "", "values": ""}
    return {
        "title": f"Noisy tables of {row.name}",
        "table": row,
        "typed": {**defaults, **typed},
        "columns": [column["name"] for column in row.columns],
        "budgets": [each for each in ledger.balances() if may_pay(each[0].data_set, row)],
        "mechanisms": Statistic.Mechanism.choices,
        "purposes": Purpose.objects.filter(is_active=True),
        "parties": Party.objects.all(),
        "chosen": typed.get("receivers", ""),
        "groups": places.groups(),
        "regions": places.regions(),
    }


def _asked(request: HttpRequest) -> NoisyAsked:
    said = request.POST
    return NoisyAsked(
        noise=Noise(
            data_set=said.get("budget", ""),
            mechanism=said.get("mechanism", ""),
            epsilon=said.get("epsilon", "").replace(",", ".").strip(),
            tables=tuple(_columns(line) for line in _lines(said.get("tables", ""))),
            domains=dict(_domain(line) for line in _lines(said.get("values", ""))),
            person=said.get("person") or None,
            rows_each=whole(said, "rows_each", "Rows of one person"),
        ),
        purpose=said.get("purpose", ""),
        receivers=tuple(said.getlist("receivers")),
        people=said.get("people", ""),
        region=said.get("region", ""),
        days=whole(said, "days", "days"),
    )


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _columns(line: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in line.split(",") if name.strip())


def _domain(line: str) -> tuple[str, str]:
    name, separator, values = line.partition(":")
    if not separator:
        raise AskedWrongly(f"“{line[:60]}” has no colon: write COLUMN: values.", field="values")
    return name.strip(), values.strip()


def measured(row: TableRelease) -> Iterator[tuple[str, str, str]]:
    """Yield the tables of a release: name, cells, and the error of each count."""
    for table in (row.report or {}).get("tables", ()):
        yield table["columns"], f"{table['cells']:,}", f"± {table['margin']:,}"


def figures(row: TableRelease) -> list[Figure]:
    """Return the picture of a release: the largest counts of its first table, as published."""
    counts = [(name, max(0, number)) for name, number in (row.figures or {}).get("largest", ())]
    if not counts:
        return []
    return [
        bars_figure(
            counts,
            title="Largest counts",
            description="The largest noisy counts of the first table, as they are published.",
            headings=("Cell", "Count with noise"),
        )
    ]


def asked_for(row: TableRelease) -> Iterator[tuple[str, Any]]:
    """Yield what a release of noisy tables was asked to be."""
    noise = NoisyAsked.of(row).noise
    delta = (row.report or {}).get("charge", {}).get("delta", "0")
    yield "Tables", "; ".join(", ".join(names) for names in noise.tables)
    for name, values in noise.domains.items():
        yield f"Public values of {name}", values
    yield "Noise", f"{noise.mechanism}, epsilon = {noise.epsilon}{f', delta = {delta}' if delta != '0' else ''}"
    yield "Paid by the budget of", noise.data_set
    yield (
        "Rows of one person",
        f"{noise.rows_each}, whom {noise.person} names" if noise.person else "1: each row is one's",
    )
