from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from common import languages
from common.admin_display import NOTHING, badge, code, exact_moment, grid, moment, short, who
from common.admin_filters import since
from common.admin_forms import CommaListField, DaysField
from common.read_only_admin import ReadOnlyAdmin
from consent import register, site_admin, words  # noqa: F401 (site_admin registers itself)
from consent.models import ConsentImport, ConsentRecord, DataSubject, Notice, Party, Purpose, PurposeText
from consent.wording import word_diff


def _place_in_words(place: str, names: dict[str, str]) -> str:
    slug, _, scope = place.partition("?")
    name = names.get(slug, slug)
    return f"{name} ({words.part(scope)})" if scope else name


STATE_TONES = {"given": "good", "refused": "plain", "withdrawn": "caution", "objected": "caution"}


def officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"


class PurposeForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    benefit = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What the person gets from it, in one plain sentence.",
    )
    actions = forms.MultipleChoiceField(
        choices=list(words.ACTIONS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="What may be done",
        help_text="Anything not ticked is denied.",
    )
    data_categories = CommaListField(
        label="Data used",
        help_text="Kinds of data, separated by commas: views, purchases, postal_address. Any other kind is denied.",
    )
    recipients = CommaListField(
        required=False,
        label="Who receives it",
        help_text="Companies that may be given the data, separated by commas: parcel-carrier. Empty: nobody.",
    )
    channels = forms.MultipleChoiceField(
        choices=list(words.CHANNELS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Channels",
        help_text="Where people may be contacted for this purpose.",
    )
    consent_valid_for = DaysField(
        label="Ask again after (days)", help_text="An older consent has expired: it no longer permits anything."
    )

    class Meta:
        labels = {
            "slug": "Name in the API",
            "legal_basis": "Legal basis",
            "parent": "Part of",
            "order": "Place on the dashboard",
            "is_active": "In use",
            "max_level": "Most personal level",
            "kept_for": "Kept for, in words",
            "dpv_purpose": "Kind of purpose",
        }
        help_texts = {
            "name": "What people read on their privacy page.",
            "slug": "Services name the purpose by it. It can never be changed.",
            "legal_basis": "Fixed as soon as one person has answered (GDPR Article 13).",
            "parent": "A wider purpose. Until a person answers about this one, their answer to the wider one counts.",
            "order": "Lower numbers come first.",
            "is_active": "Switched off, every use for this purpose is denied from the next decision on.",
            "max_level": "How personal this purpose may ever become, whatever people allow.",
            "kept_for": "As it stands on receipts: one year, or until you turn it off.",
            "controller": "Empty: the controller of the register.",
            "dpv_purpose": "A term of the W3C Data Privacy Vocabulary, such as DirectMarketing. Receipts carry it.",
        }


class PurposeTextForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    locale = forms.ChoiceField(
        label="Language",
        choices=lambda: [(code, languages.name(code)) for code in languages.known()],
        widget=UnfoldAdminSelectWidget,
    )
    benefit = forms.CharField(max_length=2_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    class Meta:
        labels = {"kept_for": "Kept for, in words"}


class PurposeTextInline(StackedInline):  # type: ignore[misc]  # unfold ships no types
    model = PurposeText
    form = PurposeTextForm
    fields = ["locale", "name", "benefit", "kept_for"]
    extra = 0
    verbose_name = "language"
    verbose_name_plural = "In other languages"


@admin.register(Purpose)
class PurposeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    form = PurposeForm
    list_display = ["name", "basis", "done", "level", "parent", "in_use"]
    list_filter = ["legal_basis", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "benefit", "legal_basis", "parent", "is_active", "order"]}),
        ("What is allowed", {"fields": ["actions", "max_level", "recipients", "channels"]}),
        ("Which data", {"fields": ["data_categories", "explicit_consent"]}),
        ("How long", {"fields": ["consent_valid_for", "kept_for"]}),
        ("Who is responsible", {"fields": ["controller", "dpv_purpose"]}),
    ]
    inlines = [PurposeTextInline]

    @display(description="Legal basis", ordering="legal_basis")
    def basis(self, purpose: Purpose) -> str:
        return purpose.get_legal_basis_display()

    @display(description="What may be done")
    def done(self, purpose: Purpose) -> str:
        return ", ".join(words.action(name) for name in purpose.actions) or NOTHING

    @display(description="Most personal level", ordering="max_level")
    def level(self, purpose: Purpose) -> str:
        return purpose.get_max_level_display()

    @display(description="State", ordering="is_active")
    def in_use(self, purpose: Purpose) -> str:
        return badge("In use", "good") if purpose.is_active else badge("Switched off")

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        return False  # records point to it for ever; make it inactive instead

    def save_model(self, request: HttpRequest, obj: Purpose, form: "ModelForm[Any]", change: bool) -> None:
        register.save_purpose(obj, actor=officer(request))
        messages.info(request, "The rules in force were renewed: this counts from the next decision on.")

    def save_formset(self, request: HttpRequest, form: "ModelForm[Any]", formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.has_changed():
            register.note_texts(form.instance, actor=officer(request))


class PartyForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    url = forms.URLField(required=False, assume_scheme="https", label="Website", widget=UnfoldAdminTextInputWidget)

    class Meta:
        labels = {"slug": "Name in the API", "role": "Part it plays"}
        help_texts = {
            "slug": "Recipients of a purpose are named by it. It can never be changed.",
            "role": "The controller decides why data is processed; processors act for it; recipients are given data.",
            "name": "As it stands on receipts.",
            "address": "Street, postal code and town: receipts must name it (ISO/IEC TS 27560).",
            "country": "Two letters, such as DE (ISO 3166-1).",
            "email": "Where people can write to.",
        }

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).upper()
        if not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise forms.ValidationError("Two letters, such as DE.")
        return country


@admin.register(Party)
class PartyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    form = PartyForm
    list_display = ["name", "part", "country", "contact"]
    list_filter = ["role", "country"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "role"]}),
        ("How to reach it", {"fields": ["address", "country", "email", "phone", "url"]}),
    ]

    @display(description="Part it plays", ordering="role")
    def part(self, party: Party) -> str:
        return badge(party.get_role_display(), "info" if party.role == Party.Role.CONTROLLER else "plain")

    @display(description="Contact")
    def contact(self, party: Party) -> str:
        return party.email or party.phone or party.url or NOTHING

    def get_readonly_fields(self, request: HttpRequest, obj: Party | None = None) -> list[str]:
        return ["slug"] if obj else []

    def save_model(self, request: HttpRequest, obj: Party, form: "ModelForm[Any]", change: bool) -> None:
        register.save_party(obj, actor=officer(request))

    def delete_model(self, request: HttpRequest, obj: Party) -> None:
        register.delete_party(obj, actor=officer(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Party]) -> None:
        for party in queryset:
            register.delete_party(party, actor=officer(request))


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Texts to read and compare; they are written in the notice editor, which stands at this admin's address to add."""

    list_display = ["title", "language", "material", "published", "fingerprint"]
    list_filter = ["purpose", "is_material", "locale"]
    list_select_related = ["purpose"]
    search_fields = ["text", "=text_sha256"]
    search_help_text = "Search the texts, or paste the SHA-256 of one."
    actions_detail_hide_default = True
    fieldsets = [
        (None, {"fields": ["purpose", "version_in_words", "language", "material_in_words", "published_exactly"]}),
        ("The text", {"fields": ["text", "digest", "referred_to"]}),
        ("All versions of this notice", {"fields": ["history"]}),
    ]
    readonly_fields = [
        "version_in_words", "language", "material_in_words", "published_exactly", "digest", "referred_to", "history",
    ]  # fmt: skip

    @display(description="Notice", ordering=("purpose__order", "version"))
    def title(self, notice: Notice) -> str:
        return f"{notice.purpose.name}, version {notice.version}"

    @display(description="Language", ordering="locale")
    def language(self, notice: Notice) -> str:
        return languages.name(notice.locale)

    @display(description="Kind of change")
    def material(self, notice: Notice) -> str:
        return badge("Asks again", "caution") if notice.is_material else badge("Cosmetic")

    @display(description="Version")
    def version_in_words(self, notice: Notice) -> str:
        newest = max(n.version for n in self._versions(notice))
        now = badge("In force", "good") if notice.version == newest else badge("Replaced")
        return format_html("{} {}", notice.version, now)

    @display(description="Kind of change")
    def material_in_words(self, notice: Notice) -> str:
        return "Material: earlier consents are asked again" if notice.is_material else "Cosmetic: consents stay valid"

    @display(description="Published", ordering="published_at")
    def published(self, notice: Notice) -> str:
        return moment(notice.published_at)

    @display(description="Published")
    def published_exactly(self, notice: Notice) -> str:
        return exact_moment(notice.published_at)

    @display(description="SHA-256")
    def fingerprint(self, notice: Notice) -> str:
        return short(notice.text_sha256)

    @display(description="SHA-256 of the text")
    def digest(self, notice: Notice) -> str:
        return code(notice.text_sha256)

    @display(description="Records that refer to it")
    def referred_to(self, notice: Notice) -> str:
        this_text = Count("pk", filter=Q(proof__notice__sha256=notice.text_sha256))
        records = ConsentRecord.objects.filter(purpose=notice.purpose, notice_version=notice.version)
        found = records.aggregate(version=Count("pk"), text=this_text)
        return f"{found['text']:,} were shown this text; {found['version']:,} name its version in any language."

    @display(description="Newest first")
    def history(self, notice: Notice) -> str:
        versions = self._versions(notice)
        rows = [
            {"notice": n, "language": languages.name(n.locale), "before": _before(n, versions), "shown": n == notice}
            for n in versions
        ]
        return render_to_string("partials/notice_history.html", {"rows": rows})

    def _versions(self, notice: Notice) -> list[Notice]:
        return list(Notice.objects.filter(purpose=notice.purpose).order_by("-version", "locale"))

    def get_urls(self) -> list[Any]:
        compare = self.admin_site.admin_view(self.compare)
        return [path("compare/", compare, name="consent_notice_compare"), *super().get_urls()]

    def compare(self, request: HttpRequest) -> HttpResponse:
        """Two texts of one purpose, word by word. GET names both."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        before, after = (self._named(request, side) for side in ("before", "after"))
        if before.purpose_id != after.purpose_id:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"{after.purpose.name}: what changed",
            "before": before,
            "after": after,
            "pair": [before, after],
            "pieces": word_diff(before.text, after.text),
            "notices": self._versions(after),
        }
        return render(request, "admin/notice_editor/compare.html", context)

    def _named(self, request: HttpRequest, side: str) -> Notice:
        key = request.GET.get(side, "")
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            raise Http404
        return get_object_or_404(Notice.objects.select_related("purpose"), pk=key)

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False


def _before(notice: Notice, versions: Sequence[Notice]) -> Notice | None:
    """The text in the same language that a notice took the place of; ``versions`` are newest first."""
    return next((n for n in versions if n.locale == notice.locale and n.version < notice.version), None)


class _RecordInWords:
    """Columns of a consent record, for its list and for a person's page."""

    @display(description="When", ordering="recorded_at")
    def when(self, record: ConsentRecord) -> str:
        return moment(record.recorded_at)

    @display(description="Choice", ordering="state")
    def choice(self, record: ConsentRecord) -> str:
        return badge(record.get_state_display(), STATE_TONES[record.state])

    @display(description="Through")
    def through(self, record: ConsentRecord) -> str:
        return words.source(record.source)

    @display(description="Recorded by")
    def by(self, record: ConsentRecord) -> str:
        return who(record.actor)


class RecordInline(_RecordInWords, TabularInline):  # type: ignore[misc]  # unfold ships no types
    model = ConsentRecord
    fields = ["when", "choice", "purpose_name", "notice_version", "through", "by", "until"]
    readonly_fields = ("when", "choice", "purpose_name", "notice_version", "through", "by", "until")
    extra = 0
    can_delete = False
    hide_title = True
    show_change_link = True
    ordering = ["-subject_revision"]
    verbose_name_plural = "History of choices"

    @display(description="Purpose")
    def purpose_name(self, record: ConsentRecord) -> str:
        return record.purpose.name

    @display(description="Valid until")
    def until(self, record: ConsentRecord) -> str:
        return moment(record.expires_at)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentRecord]:
        return super().get_queryset(request).select_related("purpose")  # type: ignore[no-any-return]


class _FoundById(ReadOnlyAdmin):
    """A long table that is searched by a pasted identifier only."""

    paginator = InfinitePaginator
    show_full_result_count = False
    id_columns: tuple[str, ...] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            messages.warning(request, "Paste a whole identifier, such as 019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f.")
            return queryset.none(), False
        found = queryset.none()
        for column in self.id_columns:
            found = found | queryset.filter(**{column: wanted})
        return found, False


@admin.register(DataSubject)
class DataSubjectAdmin(_FoundById):
    list_display = ["person", "region", "age", "allowed", "standing", "changed"]
    list_filter = [since("updated_at"), "age_band", "restricted", "held"]
    search_fields = ["ref"]
    search_help_text = "Paste a pseudonym, for example from an audit event."
    id_columns = ("ref",)
    fields = ["pseudonym", "region", "age_band", "standing", "choices", "known_since", "last_change", "evidence"]
    readonly_fields = ["pseudonym", "standing", "choices", "known_since", "last_change", "evidence"]
    inlines = [RecordInline]

    @display(description="Person", ordering="ref")
    def person(self, subject: DataSubject) -> str:
        return short(subject.ref)

    @display(description="Age", ordering="age_band")
    def age(self, subject: DataSubject) -> str:
        return subject.get_age_band_display()

    @display(description="Choices in force")
    def allowed(self, subject: DataSubject) -> str:
        given = sum(entry["s"] == "given" for entry in subject.consents.values())
        return f"{given} allowed, {len(subject.consents) - given} not"

    @display(description="State")
    def standing(self, subject: DataSubject) -> str:
        if subject.held:
            return badge("Legal hold: kept, not used", "alarm")
        return badge("Restricted: kept, not used", "caution") if subject.restricted else badge("In normal use")

    @display(description="Last change", ordering="updated_at")
    def changed(self, subject: DataSubject) -> str:
        return moment(subject.updated_at)

    @display(description="Pseudonym")
    def pseudonym(self, subject: DataSubject) -> str:
        return code(str(subject.ref))

    @display(description="Choices in force")
    def choices(self, subject: DataSubject) -> str:
        slugs = {place.partition("?")[0] for place in subject.consents}
        names = dict(Purpose.objects.filter(slug__in=slugs).values_list("slug", "name"))
        states = ConsentRecord.State
        return grid(
            ["Purpose", "Choice", "Notice", "Through"],
            (
                [
                    _place_in_words(place, names),
                    badge(states(entry["s"]).label, STATE_TONES[entry["s"]]),
                    entry["n"],
                    words.source(entry.get("src", "")),
                ]
                for place, entry in subject.consents.items()
            ),
        )

    @display(description="Known since")
    def known_since(self, subject: DataSubject) -> str:
        return exact_moment(subject.created_at)

    @display(description="Last change")
    def last_change(self, subject: DataSubject) -> str:
        return exact_moment(subject.updated_at)

    @display(description="Evidence")
    def evidence(self, subject: DataSubject) -> str:
        query = urlencode({"q": str(subject.ref)})
        return format_html(
            '<a href="{}">Consent proof</a> · <a href="{}?{}">Decisions about this person</a> · '
            '<a href="{}?{}">Audit events</a>',
            reverse("consent-proof-person", args=[subject.ref]),
            reverse("admin:policies_decision_changelist"),
            query,
            reverse("admin:audit_auditevent_changelist"),
            query,
        )


@admin.register(ConsentRecord)
class ConsentRecordAdmin(_RecordInWords, _FoundById):
    list_display = ["when", "choice", "purpose_name", "person", "through", "by"]
    list_filter = [since("recorded_at"), "state", "purpose"]
    list_select_related = ["purpose"]
    search_fields = ["subject__ref", "id"]
    search_help_text = "Paste a person's pseudonym or the number of a record."
    id_columns = ("pk", "subject_id")
    fieldsets = [
        (None, {"fields": ["choice", "purpose", "subject", "recorded", "valid_until", "through", "by"]}),
        ("What was shown and agreed", {"fields": ["notice_version", "explicit"]}),
        ("Evidence", {"fields": ["number", "subject_revision", "before", "digest_hex"]}),
    ]
    readonly_fields = [
        "choice", "recorded", "valid_until", "through", "by", "number", "before", "digest_hex",
    ]  # fmt: skip

    @display(description="Purpose", ordering="purpose")
    def purpose_name(self, record: ConsentRecord) -> str:
        return record.purpose.name

    @display(description="Person")
    def person(self, record: ConsentRecord) -> str:
        return short(record.subject_id, href=reverse("admin:consent_datasubject_change", args=[record.subject_id]))

    @display(description="Recorded")
    def recorded(self, record: ConsentRecord) -> str:
        return exact_moment(record.recorded_at)

    @display(description="Valid until")
    def valid_until(self, record: ConsentRecord) -> str:
        return exact_moment(record.expires_at)

    @display(description="Number of this record")
    def number(self, record: ConsentRecord) -> str:
        return code(str(record.pk))

    @display(description="Replaces")
    def before(self, record: ConsentRecord) -> str:
        if record.supersedes_id is None:
            return "Nothing: it is the first answer"
        url = reverse("admin:consent_consentrecord_change", args=[record.supersedes_id])
        return format_html('<a href="{}">The earlier choice</a>', url)

    @display(description="Digest, chained per person")
    def digest_hex(self, record: ConsentRecord) -> str:
        return code(bytes(record.digest).hex())


@admin.register(ConsentImport)
class ConsentImportAdmin(ReadOnlyAdmin):
    list_display = ["system", "began", "standing", "imported", "unproven", "refused_count"]
    list_filter = ["system"]
    fields = ["system", "began", "ended", "by", "imported", "unproven", "reasons", "digest"]
    readonly_fields = ["began", "ended", "by", "reasons", "digest"]

    @display(description="Started", ordering="started_at")
    def began(self, run: ConsentImport) -> str:
        return moment(run.started_at)

    @display(description="Finished")
    def ended(self, run: ConsentImport) -> str:
        return exact_moment(run.finished_at)

    @display(description="State")
    def standing(self, run: ConsentImport) -> str:
        if run.is_finished:
            return badge("Finished", "good")
        return badge(f"Unfinished, after line {run.line:,}", "caution")

    @display(description="Refused")
    def refused_count(self, run: ConsentImport) -> int:
        return run.refused_lines

    @display(description="Started by")
    def by(self, run: ConsentImport) -> str:
        return who(run.actor)

    @display(description="Refused lines, by reason")
    def reasons(self, run: ConsentImport) -> str:
        return grid(["Reason", "Lines"], sorted(run.refused.items()))

    @display(description="SHA-256 of the file")
    def digest(self, run: ConsentImport) -> str:
        return code(run.file_sha256)
