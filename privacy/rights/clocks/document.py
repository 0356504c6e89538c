"""Due dates as a document for lawyers: law by law and right by right, for ten starting days."""

from collections.abc import Iterator, Sequence
from datetime import date

from privacy.rights.clocks.due import Settings, State, due
from privacy.rights.clocks.laws import Clock, Law, laws

# Ends of months, leap days, weekends, the turn of a year.
STARTING_DAYS = (
    date(2026, 1, 31), date(2026, 3, 31), date(2026, 8, 31), date(2026, 11, 24), date(2026, 12, 24),
    date(2027, 1, 29), date(2027, 2, 28), date(2027, 10, 30), date(2028, 1, 31), date(2028, 2, 29),
)  # fmt: skip
_NO_NUMBER = "no number"


def render(days: Sequence[date] = STARTING_DAYS, among: Sequence[Law] | None = None) -> str:
    """Return a Markdown section for each law. Weekends are counted, and no holidays: those are a setting."""
    return "\n".join(line for law in among or laws() for line in _law(law, days))


def _law(law: Law, days: Sequence[date]) -> Iterator[str]:
    yield f"### {law.name}\n"
    groups = _groups(law)
    for number, clocks in enumerate(groups, 1):
        yield _described(number, clocks)
    counted = [(number, clocks[0]) for number, clocks in enumerate(groups, 1) if clocks[0].length or clocks[0].confirm]
    if counted:
        yield from _table(counted, days)
    yield ""


def _groups(law: Law) -> list[list[Clock]]:
    groups: dict[str, list[Clock]] = {}
    for clock in law.clocks.values():
        groups.setdefault(f"{clock.section} {clock.length} {clock.note}", []).append(clock)
    return list(groups.values())


def _described(number: int, clocks: list[Clock]) -> str:
    clock = clocks[0]
    rights = ", ".join(each.right.replace("_", " ") for each in clocks)
    parts = [f"{number}. {rights}: {clock.length or _NO_NUMBER}"]
    if clock.extended:
        parts.append(f"with an extension {clock.extended} from the start")
    if clock.is_extension_open:
        parts.append("later by notice, no maximum")
    if clock.confirm:
        parts.append(f"confirmed in {clock.confirm}")
    note = f" {clock.note}" if clock.note else ""
    return f"{'; '.join(parts)}. *{clock.section}* ({clock.certainty}).{note}"


def _table(counted: list[tuple[int, Clock]], days: Sequence[date]) -> Iterator[str]:
    yield f"\n| received | {' | '.join(str(number) for number, _ in counted)} |"
    yield f"|---|{'---|' * len(counted)}"
    for day in days:
        yield f"| {day:%a} {day} | {' | '.join(_cell(clock, day) for _, clock in counted)} |"


def _cell(clock: Clock, day: date) -> str:
    dates = due(clock, day, Settings().calendar(clock, ""))
    parts = [_NO_NUMBER if dates.state is State.NO_NUMBER else f"{dates.due}"]
    if dates.latest:
        parts.append(f"extended {dates.latest}")
    if dates.confirm_by:
        parts.append(f"confirmed {dates.confirm_by}")
    return ", ".join(parts)
