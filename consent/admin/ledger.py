"""People and their records, found by the business's id, read only."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common.admin_pages.display import badge, code, exact_moment, grid, moment, short, who
from common.admin_pages.filters import since
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.admin.looks import PersonLooksRecorded
from consent.models import ConsentRecord, DataSubject, Purpose
from consent.register import words


def _place_in_words(place: str, names: dict[str, str]) -> str:
    slug, _, scope = place.partition("?")
    name = names.get(slug, slug)
    return f"{name} ({words.part(scope)})" if scope else name


STATE_TONES = {"given": "good", "refused": "plain", "withdrawn": "caution", "objected": "caution"}


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


class _FoundById(PersonLooksRecorded, ReadOnlyAdmin):
    """Admin of a long table, searched by an identifier only."""

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
    look = "data subject"
    list_display = ["person", "region", "age", "allowed", "standing", "changed"]
    list_filter = [since("updated_at"), "age_band", "restricted", "held"]
    search_fields = ["ref"]
    search_help_text = "Paste a pseudonym, for example from an audit event."
    id_columns = ("ref",)
    fields = ["pseudonym", "region", "age_band", "standing", "choices", "known_since", "last_change", "evidence"]
    readonly_fields = ["pseudonym", "standing", "choices", "known_since", "last_change", "evidence"]
    inlines = [RecordInline]

    def person_of(self, row: DataSubject) -> UUID:
        return row.ref

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
        if subject.is_erased:
            return badge("Erased: proof of consent only", "info")
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
    look = "consent record"
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

    def person_of(self, row: ConsentRecord) -> UUID:
        return row.subject_id

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
