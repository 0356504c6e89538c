"""Register of features. Two officers change it; undoing their set, or switching a version off, is the way back."""

from typing import Any

from consent.models import Purpose
from oversight.problems import ChangeRefused
from oversight.registers import Register
from personalization.features.definitions import MEANING, OWN
from personalization.features.models import Feature
from personalization.models import Event


def _save(feature: Any, created: bool) -> None:
    unknown = sorted(set(feature.events) - set(Event.Kind.values))
    if unknown or not feature.events:
        raise ChangeRefused(f"A feature is made of events of these kinds: {', '.join(Event.Kind.values)}.")
    if not Purpose.objects.filter(slug=feature.purpose).exists():
        raise ChangeRefused(f"There is no purpose “{feature.purpose}” for the feature to stand under.")
    _refuse_another(feature, created)
    feature.save()


def _refuse_another(feature: Any, created: bool) -> None:
    """Refuse another meaning under a version that files and models name."""
    own = OWN.get(feature.name)
    before: Any = own if own and own.version == feature.version else None
    if not created:
        before = Feature.objects.get(pk=feature.pk)
    if before and any(_value(before, name) != _value(feature, name) for name in MEANING):
        raise ChangeRefused(f"{feature} is computed as it always was. Make version {feature.version + 1} instead.")


def _value(feature: Any, name: str) -> Any:
    value = getattr(feature, name)
    return sorted(value) if name == "events" else value


FEATURE = Register(
    name="feature",
    title="Feature",
    model=Feature,
    key=("name", "version"),
    in_bundle=False,
    is_local=True,
    save=_save,
)
