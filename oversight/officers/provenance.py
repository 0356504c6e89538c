"""Who may stand behind an account: read from the audit trail, by account number.

The account that created another one, or set its password, its second factor or its rights, may be the one that uses it.
No time limit and no name counts: an account is the same after it was renamed. A step that an independent officer
seconded does not count, nor does one from the operator's shell, which is the root of trust.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth import get_user_model

from audit.models import AuditEvent
from oversight.models import Approval, ChangeSet

CREATED, VOUCHED = "officer.created", "officer.vouched"
# Steps after which another person may use an account, or has decided what it may do.
_STEPS = (
    CREATED, VOUCHED, "officer.changed", "officer.password_set", "officer.second_factor_set", "officer.recovered",
    "officer.rights_changed", "officer.groups_changed", "role.changed",
)  # fmt: skip
_DECISIVE = frozenset({"password", "email", "is_active", "is_staff", "is_superuser"})
_LOST = 0  # no account has this number


@dataclass(frozen=True)
class Touch:
    """A step on an account; ``by`` is the account that took it, None for the shell."""

    by: int | None
    position: int


@dataclass(frozen=True)
class Verdict:
    """Whether two accounts are independent, why not, and the trail's positions it was read from."""

    is_independent: bool
    why: str
    positions: tuple[int, ...]


def closure(account: int, touches: Mapping[int, Iterable[Touch]]) -> frozenset[int]:
    """Return an account and all that may be it: those who touched it, and those who may be them."""
    found, waiting = {account}, [account]
    while waiting:
        for touch in touches.get(waiting.pop(), ()):
            if touch.by is not None and touch.by not in found:
                found.add(touch.by)
                waiting.append(touch.by)
    return frozenset(found)


def independent(a: int, b: int) -> Verdict:
    """Return whether no account may stand behind both."""
    touches = _touches()
    for account in (a, b):
        if account not in touches:
            return Verdict(False, _UNKNOWN % {"who": _name(account)}, ())
    first, second = closure(a, touches), closure(b, touches)
    positions = tuple(sorted({touch.position for account in first | second for touch in touches.get(account, ())}))
    shared = sorted(first & second)
    if not shared:
        return Verdict(True, "", positions)
    return Verdict(False, _SHARED % {"a": _name(a), "b": _name(b), "who": _name(shared[0])}, positions)


_VOUCH = "The operator vouches for an account with ./assent officers vouch NAME."
_UNKNOWN = f"The audit trail does not say who made the account “%(who)s”. {_VOUCH}"
_SHARED = (
    "“%(a)s” and “%(b)s” do not count as two persons: “%(who)s” made one of them, or set its password, second factor "
    f"or rights. {_VOUCH}"
)


def _name(account: int) -> str:
    user = get_user_model().objects.filter(pk=account).values_list("username", flat=True).first()
    return str(user or "an account that is gone")


def _touches() -> dict[int, list[Touch]]:
    """Return the steps on every account since it was last vouched for; no entry: the trail knows no beginning."""
    found: dict[int, list[Touch]] = {}
    seconded = _seconded()
    for event in AuditEvent.objects.filter(action__in=_STEPS).order_by("position"):
        account = event.details.get("account")
        if account is None or not _counts(event):
            continue
        if event.action in (CREATED, VOUCHED):
            found[account] = []
        touch = Touch(None if event.details.get("set") in seconded else _by(event), event.position)
        if account in found and touch.by != account:
            found[account].append(touch)
    return found


def _counts(event: AuditEvent) -> bool:
    return event.action != "officer.changed" or bool(_DECISIVE & set(event.details.get("fields", ())))


def _seconded() -> frozenset[int]:
    """Return the change sets that a second officer approved."""
    approved = Approval.objects.filter(subject=ChangeSet.SUBJECT, verdict=Approval.Verdict.APPROVED, is_single=False)
    return frozenset(int(key) for key in approved.values_list("object", flat=True))


def _by(event: AuditEvent) -> int | None:
    """Return the account that acted. Events older than its number name an account that cannot be made out any more."""
    if "by" in event.details:
        by = event.details["by"]
        return None if by is None else int(by)
    return _LOST if event.actor.startswith("officer:") else None
