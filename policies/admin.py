import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from audit import trail
from common import policy_data
from common.admin_confirm import Step, confirm
from common.admin_display import NOTHING, badge, code, document, exact_moment, folded, moment, short, table, who
from common.admin_filters import SinceFilter, since
from common.admin_forms import CommaListField
from common.identifiers import uuid7_floor
from common.read_only_admin import ReadOnlyAdmin
from consent import words
from consent.models import Level, Purpose
from policies import (
    credentials,
    policy_admin,  # noqa: F401 (its pages)
    pseudonyms,
    reasons,
)
from policies.deployments.admin import ProcessingSystemAdmin
from policies.models import (
    Activation,
    ActiveBundle,
    Bundle,
    Decision,
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    ServiceCredential,
    TransferInstrument,
)

__all__ = ["ProcessingSystemAdmin"]
_CLOCKS_DIFFER = timedelta(minutes=5)  # of the machines that make rules and those that decide
_TONES = {"permit": "good", "deny": "plain", "unknown": "alarm"}


def _officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"


class RuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rules as data: saving one is audited and is a new bundle revision, in force at the next decision."""

    fixed: tuple[str, ...] = ("slug",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._publish(request, obj, "changed" if change else "created")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._publish(request, obj, "deleted")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    def _publish(self, request: HttpRequest, obj: Any, what: str) -> None:
        actor = _officer(request)
        name = f"{type(obj).__name__.lower()} {getattr(obj, 'slug', None) or getattr(obj, 'code', '')}"
        trail.record(f"rule.{what}", name, actor=actor)
        policy_data.changed(reason=f"{name} {what}", actor=actor)
        messages.info(request, "The rules in force were renewed: this counts from the next decision on.")


class _LevelField(forms.ChoiceField):
    widget = UnfoldAdminSelectWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Level.choices, initial=Level.NONE, **options)


class JurisdictionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gpc = _LevelField(
        label="Browser says “do not sell or share”",
        help_text="The most personal level while the browser sends Global Privacy Control (GPC).",
    )
    gpp = _LevelField(
        label="Consent banner says “opt out”",
        help_text="The most personal level while a GPP string carries an opt-out.",
    )
    binding_signals = forms.MultipleChoiceField(
        choices=Jurisdiction.Signal.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Signals with the force of law",
        help_text="For the record. How far a signal lowers the level is chosen below, binding or not.",
    )

    class Meta:
        labels = {
            "slug": "Short name",
            "source": "Where it is written",
            "consent_default": "Personalisation",
            "unasked_max_level": "People nobody has asked",
            "consent_days": "A yes counts for at most, in days",
            "reask_days": "After a no nobody asks again for, in days",
            "age_of_consent": "Age of consent",
            "opt_in_below": "A yes is needed below the age of",
            "minor_max_level": "Children and minors",
            "unknown_age_is_adult": "Unknown age counts as adult",
            "answer_days": "Requests are answered within, in days",
            "extension_days": "If complex, so many days more",
            "answer_unit": "Counted in",
            "confirm_days": "Receipt is confirmed within, in days",
            "confirm_unit": "Counted in",
        }
        help_texts = {
            "source": "The article or statute this row was read from. An engineering reading, not legal advice.",
            "consent_default": "Whether people are asked first, or served until they say no.",
            "unasked_max_level": "Counts only under opt-out, and only for adults without an opt-out signal and without "
            "special categories. None: everybody is asked first.",
            "age_of_consent": "Below it a guardian agrees. A region may have its own: see Regions.",
            "opt_in_below": "Only under opt-out: whoever is younger is asked first all the same.",
            "minor_max_level": "The most personal level for anybody under age.",
            "unknown_age_is_adult": "Switched off, whoever has not told their age is treated as a minor.",
            "confirm_days": "Empty: the law asks for no confirmation.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for signal in ("gpc", "gpp"):
            if signal in self.fields and self.instance.pk:
                self.fields[signal].initial = self.instance.signal_caps.get(signal, Level.NONE)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = {signal: cleaned[signal] for signal in ("gpc", "gpp") if signal in cleaned}
        self.instance.signal_caps = {**self.instance.signal_caps, **chosen}
        return cleaned


@admin.register(Jurisdiction)
class JurisdictionAdmin(RuleAdmin):
    form = JurisdictionForm
    list_display = ["name", "default", "browser_signal", "minors", "unknown_age"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "source"]}),
        ("Asking", {"fields": ["consent_default", "unasked_max_level", "consent_days", "reask_days"]}),
        ("How far signals lower the level", {"fields": ["gpc", "gpp", "binding_signals"]}),
        ("Age", {"fields": ["age_of_consent", "opt_in_below", "minor_max_level", "unknown_age_is_adult"]}),
        (
            "Answering requests",
            {"fields": ["answer_days", "extension_days", "answer_unit", "confirm_days", "confirm_unit"]},
        ),
    ]

    @display(description="Personalisation", ordering="consent_default")
    def default(self, law: Jurisdiction) -> str:
        return law.get_consent_default_display()

    @display(description="With a browser signal, at most")
    def browser_signal(self, law: Jurisdiction) -> str:
        return Level(law.signal_caps.get("gpc", Level.NONE)).label

    @display(description="Minors, at most", ordering="minor_max_level")
    def minors(self, law: Jurisdiction) -> str:
        return law.get_minor_max_level_display()

    @display(description="Unknown age", ordering="unknown_age_is_adult")
    def unknown_age(self, law: Jurisdiction) -> str:
        return "Counts as adult" if law.unknown_age_is_adult else "Counts as minor"


class RegionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {
            "code": "Code",
            "group": "Residency group",
            "jurisdiction": "Law",
            "age_of_consent": "Own age of consent",
            "time_zone": "Time zone",
        }
        help_texts = {
            "age_of_consent": "Empty: the age the law names.",
            "code": "ISO 3166: DE, or US-CA for a part of a country.",
            "group": "Regions that residency rules treat alike, for example eea.",
            "time_zone": "Decides when it is quiet time for messages, for example Europe/Berlin.",
        }


@admin.register(Region)
class RegionAdmin(RuleAdmin):
    form = RegionForm
    fixed = ("code",)
    list_display = ["name", "code", "residency_group", "law", "time_zone"]
    list_filter = ["group", "jurisdiction"]
    list_select_related = ["jurisdiction"]
    search_fields = ["name", "code"]

    @display(description="Residency group", ordering="group")
    def residency_group(self, region: Region) -> str:
        return _group(region.group)

    @display(description="Law", ordering="jurisdiction")
    def law(self, region: Region) -> str:
        return region.jurisdiction.name


def _group(slug: str) -> str:
    return slug.upper() if len(slug) <= 3 else slug.replace("-", " ").capitalize()


class ProcessingRegionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Name in the API", "group": "Residency group"}
        help_texts = {
            "slug": "Services say with it where they process, for example eu-central.",
            "group": "The group that residency rules name, for example eea.",
        }


@admin.register(ProcessingRegion)
class ProcessingRegionAdmin(RuleAdmin):
    form = ProcessingRegionForm
    list_display = ["slug", "residency_group"]

    @display(description="Residency group", ordering="group")
    def residency_group(self, region: ProcessingRegion) -> str:
        return _group(region.group)


class InstrumentForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Short name", "valid_until": "Ends"}
        help_texts = {"valid_until": "From then on every transfer that rests on it is denied. Empty: it does not end."}


@admin.register(TransferInstrument)
class TransferInstrumentAdmin(RuleAdmin):
    form = InstrumentForm
    list_display = ["name", "standing", "ends"]
    fields = ["name", "slug", "valid_until"]

    @display(description="State")
    def standing(self, instrument: TransferInstrument) -> str:
        ended = instrument.valid_until is not None and instrument.valid_until <= timezone.now()
        return badge("Ended", "alarm") if ended else badge("Valid", "good")

    @display(description="Ends", ordering="valid_until")
    def ends(self, instrument: TransferInstrument) -> str:
        return moment(instrument.valid_until) if instrument.valid_until else "Does not end"


class ResidencyForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    data_categories = CommaListField(
        also=("*",), label="Kinds of data", help_text="Separated by commas: views, purchases. A * stands for all."
    )

    class Meta:
        labels = {
            "slug": "Short name",
            "subject_group": "People live in",
            "processing_group": "Data may be processed in",
            "instrument": "Lawful because of",
        }
        help_texts = {
            "subject_group": "A residency group of regions, for example eea.",
            "processing_group": "A residency group of processing regions, for example uk.",
            "instrument": "Needed where data crosses a border of law. Once it ends, the rule ends.",
        }


@admin.register(ResidencyRule)
class ResidencyRuleAdmin(RuleAdmin):
    form = ResidencyForm
    list_display = ["rule", "kinds", "instrument"]
    list_filter = ["subject_group", "processing_group"]
    list_select_related = ["instrument"]
    fields = ["slug", "subject_group", "processing_group", "data_categories", "instrument"]

    @display(description="What may be done", ordering="slug")
    def rule(self, rule: ResidencyRule) -> str:
        return f"Data of people in {_group(rule.subject_group)} may be processed in {_group(rule.processing_group)}"

    @display(description="Kinds of data")
    def kinds(self, rule: ResidencyRule) -> str:
        return "All" if "*" in rule.data_categories else ", ".join(rule.data_categories).replace("_", " ")


class SensitiveForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Name in the API"}
        help_texts = {"slug": "Data of this kind is left out unless a person agreed to it explicitly."}


@admin.register(SensitiveCategory)
class SensitiveCategoryAdmin(RuleAdmin):
    form = SensitiveForm
    list_display = ["name", "slug"]
    fields = ["name", "slug"]


@admin.register(Bundle)
class BundleAdmin(ReadOnlyAdmin):
    list_display = ["title", "standing", "reason", "by", "made"]
    list_filter = [since("created_at")]
    fields = [
        "standing",
        "reason",
        "by",
        "made_exactly",
        "revision_in_full",
        "contents",
        "data_shown",
        "policies_shown",
    ]
    readonly_fields = [
        "standing", "by", "made_exactly", "revision_in_full", "contents", "data_shown", "policies_shown",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        in_force = ActiveBundle.objects.filter(bundle=OuterRef("pk"))
        bundles = super().get_queryset(request).annotate(in_force=Exists(in_force))
        return bundles.defer("data", "policies")  # type: ignore[no-any-return]

    @display(description="Revision", ordering="revision")
    def title(self, bundle: Bundle) -> str:
        return short(bundle.revision.removeprefix("sha256:"), keep=12)

    @display(description="State")
    def standing(self, bundle: Any) -> str:
        return badge("In force", "good") if bundle.in_force else badge("Replaced")

    @display(description="Made by", ordering="actor")
    def by(self, bundle: Bundle) -> str:
        return who(bundle.actor)

    @display(description="Made", ordering="created_at")
    def made(self, bundle: Bundle) -> str:
        return moment(bundle.created_at)

    @display(description="Made")
    def made_exactly(self, bundle: Bundle) -> str:
        return exact_moment(bundle.created_at)

    @display(description="Revision")
    def revision_in_full(self, bundle: Bundle) -> str:
        return code(bundle.revision)

    @display(description="What is in it")
    def contents(self, bundle: Bundle) -> str:
        data = json.loads(bundle.data)
        return table(
            [
                ("Purposes", len(data["purposes"])),
                ("Models", len(data["models"])),
                ("Regions", len(data["residency"]["regions"])),
                ("Residency rules", len(data["residency"]["rules"])),
                ("Retention schedules", len(data["retention"])),
                ("Policy files", len(bundle.policies)),
            ]
        )

    @display(description="Registers")
    def data_shown(self, bundle: Bundle) -> str:
        return folded("Show the data as policies read it", _pretty(bundle.data))

    @display(description="Policies")
    def policies_shown(self, bundle: Bundle) -> str:
        texts = sorted(bundle.policies.items())
        return format_html_join("", "{}", ((folded(name, format_html("<pre>{}</pre>", text)),) for name, text in texts))


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    list_display = ["when", "reason", "by", "revision"]
    list_filter = [since("activated_at")]
    list_select_related = ["bundle"]
    fields = ["when_exactly", "reason", "by", "bundle"]
    readonly_fields = ["when_exactly", "by"]

    @display(description="In force since", ordering="activated_at")
    def when(self, activation: Activation) -> str:
        return moment(activation.activated_at)

    @display(description="In force since")
    def when_exactly(self, activation: Activation) -> str:
        return exact_moment(activation.activated_at)

    @display(description="By", ordering="actor")
    def by(self, activation: Activation) -> str:
        return who(activation.actor)

    @display(description="Revision")
    def revision(self, activation: Activation) -> str:
        url = reverse("admin:policies_bundle_change", args=[activation.bundle_id])
        return short(activation.bundle_id.removeprefix("sha256:"), keep=12, href=url)


@admin.register(ServiceCredential)
class ServiceCredentialAdmin(ReadOnlyAdmin):
    list_display = ["name", "standing", "may", "made", "ends"]
    fields = ["name", "standing", "may", "made_exactly", "ends_exactly", "revoked"]
    readonly_fields = ["standing", "may", "made_exactly", "ends_exactly", "revoked"]
    actions = ("revoke",)
    actions_detail = ("revoke_this",)

    @display(description="State")
    def standing(self, credential: ServiceCredential) -> str:
        if credential.revoked_at is not None:
            return badge("Revoked", "alarm")
        return badge("Valid", "good") if credential.is_valid else badge("Ended", "caution")

    @display(description="May")
    def may(self, credential: ServiceCredential) -> str:
        return ", ".join(ServiceCredential.Scope(scope).label for scope in credential.scopes)

    @display(description="Made", ordering="created_at")
    def made(self, credential: ServiceCredential) -> str:
        return moment(credential.created_at)

    @display(description="Ends", ordering="expires_at")
    def ends(self, credential: ServiceCredential) -> str:
        return moment(credential.expires_at)

    @display(description="Made")
    def made_exactly(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.created_at)

    @display(description="Ends")
    def ends_exactly(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.expires_at)

    @display(description="Revoked")
    def revoked(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.revoked_at)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("policies.change_servicecredential")

    def has_revoke_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return (
            self.has_revoke_permission(request)
            and ServiceCredential.objects.filter(pk=object_id, revoked_at=None).exists()
        )

    @admin.action(description="Revoke: refused from the next request on", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ServiceCredential]) -> None:
        for credential in chosen:
            credentials.revoke_credential(credential=credential, actor=_officer(request))
            messages.success(request, f"{credential} is revoked.")

    @action(
        description="Revoke",
        permissions=["revoke_this"],
        url_path="revoke",
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def revoke_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        credential = get_object_or_404(ServiceCredential, pk=object_id)
        step = Step(
            title=f"Revoke the credential of “{credential.name}”?",
            effects=[
                "The service is refused from its very next request on.",
                "This cannot be undone. The service needs a new credential to go on.",
                "Other credentials of the same name stay valid.",
            ],
            button="Revoke this credential",
            done=f"{credential} is revoked.",
            is_dangerous=True,
        )
        return confirm(
            request,
            credential,
            step,
            lambda: credentials.revoke_credential(credential=credential, actor=_officer(request)),
        )


class DecidedSince(SinceFilter):
    """By identifier, which holds the time: only the partitions of those days are read."""

    def narrow(self, queryset: QuerySet[Any], since: datetime) -> QuerySet[Any]:
        return queryset.filter(pk__gte=uuid7_floor(since))


class _KnownValues(admin.SimpleListFilter):
    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ActionFilter(_KnownValues):
    title = "what was asked"
    parameter_name = column = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, words.action(name)) for name in words.ACTIONS]


class PurposeFilter(_KnownValues):
    title = "purpose"
    parameter_name = column = "purpose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return list(Purpose.objects.values_list("slug", "name"))


class LevelFilter(_KnownValues):
    title = "level"
    parameter_name = column = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Level.choices


class ReasonFilter(admin.SimpleListFilter):
    """Any of the reasons of a decision; an index serves it however rare the reason is."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return sorted(((name, reasons.for_officer(name)) for name in reasons.CODES), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reasons__contains=[self.value()]) if self.value() else queryset


class RevisionFilter(admin.SimpleListFilter):
    title = "rules it was decided by"
    parameter_name = "revision"
    offered = 20

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        newest = Bundle.objects.order_by("-created_at").only("revision", "reason")[: self.offered]
        return [(b.revision, f"{b.revision.removeprefix('sha256:')[:12]} {b.reason}") for b in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        bundle = Bundle.objects.filter(pk=self.value()).only("created_at").first()
        if bundle is None:
            return queryset.none()
        # No rules decide before they were made, so older partitions are not read.
        made = uuid7_floor(bundle.created_at - _CLOCKS_DIFFER)
        return queryset.filter(bundle_revision=bundle.pk, pk__gte=made)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["when", "answer", "asked", "level_reached", "because", "caller_name"]
    list_filter = [DecidedSince, "outcome", ReasonFilter, PurposeFilter, ActionFilter, LevelFilter, RevisionFilter]
    search_fields = ["id"]
    search_help_text = "Paste the number of a decision or a person's pseudonym."
    paginator = InfinitePaginator
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["answer", "asked", "level_reached", "why_in_words", "candidate_said"]}),
        ("Who asked, and when", {"fields": ["caller_name", "decided", "number"]}),
        ("What was known", {"fields": ["facts_shown"]}),
        ("Evidence", {"fields": ["rules", "sealed", "entry_shown"]}),
    ]
    readonly_fields = [
        "answer", "asked", "level_reached", "why_in_words", "caller_name", "decided", "number", "facts_shown", "rules",
        "sealed", "entry_shown", "candidate_said",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        name = Purpose.objects.filter(slug=OuterRef("purpose")).values("name")[:1]
        return super().get_queryset(request).annotate(purpose_name=Subquery(name))  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        """By number, or all about a person as far back as the keys of their pseudonyms are kept."""
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            messages.warning(request, "Paste a whole number, such as 019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f.")
            return queryset.none(), False
        return queryset.filter(Q(pk=wanted) | Q(subject_tag__in=pseudonyms.tags_of(wanted))), False

    @display(description="When", ordering="id")
    def when(self, decision: Decision) -> str:
        return moment(decision.decided_at)

    @display(description="Answer")
    def answer(self, decision: Decision) -> str:
        return badge(decision.get_outcome_display(), _TONES[decision.outcome])

    @display(description="Asked")
    def asked(self, decision: Any) -> str:
        purpose = decision.purpose_name or "a purpose that is not in the register"
        return f"{words.action(decision.action)} for: {purpose}"

    @display(description="Level")
    def level_reached(self, decision: Decision) -> str:
        return Level(decision.level).label if decision.level in Level.values else NOTHING

    @display(description="Because")
    def because(self, decision: Decision) -> str:
        return reasons.for_officer(decision.reasons[0]) if decision.reasons else NOTHING

    @display(description="Asked by")
    def caller_name(self, decision: Decision) -> str:
        return who(decision.caller)

    @display(description="Why")
    def why_in_words(self, decision: Decision) -> str:
        if not decision.reasons:
            return "Nothing stood against it."
        lines = ((reasons.for_officer(reason), reason) for reason in decision.reasons)
        return format_html_join("", "<div>{} <code>{}</code></div>", lines)

    @display(description="A candidate beside it would have said")
    def candidate_said(self, decision: Decision) -> str:
        told = json.loads(decision.entry).get("shadow")
        if told is None:
            return "The same, or there was none."
        outcome = badge(Decision.Outcome(told["outcome"]).label, _TONES[told["outcome"]])
        level = Level(told["level"]).label if told["level"] in Level.values else NOTHING
        why = [reasons.for_officer(reason["code"]) for reason in told["reasons"]]
        return format_html("{} Level: {}. {}", outcome, level, " ".join(map(str, why)))

    @display(description="When")
    def decided(self, decision: Decision) -> str:
        return exact_moment(decision.decided_at)

    @display(description="Number of this decision")
    def number(self, decision: Decision) -> str:
        return code(str(decision.pk))

    @display(description="Facts")
    def facts_shown(self, decision: Decision) -> str:
        return document(json.loads(decision.entry)["facts"])

    @display(description="Rules it was decided by")
    def rules(self, decision: Decision) -> str:
        if not decision.bundle_revision:
            return NOTHING
        url = reverse("admin:policies_bundle_change", args=[decision.bundle_revision])
        return short(decision.bundle_revision.removeprefix("sha256:"), keep=12, href=url)

    @display(description="Sealed in")
    def sealed(self, decision: Decision) -> str:
        return f"batch {decision.batch_id}, line {decision.position + 1}"

    @display(description="Log entry")
    def entry_shown(self, decision: Decision) -> str:
        return folded("Show the entry as it was written", _pretty(decision.entry))


def _pretty(text: str) -> str:
    return format_html("<pre>{}</pre>", json.dumps(json.loads(text), indent=2, ensure_ascii=False))
