from http import HTTPStatus

from common.http.problems import Conflict, InvalidRequest, Problem


class PurposeUnknown(InvalidRequest):
    code = "purpose_unknown"
    title = "There is no such purpose"


class ConsentNotAsked(InvalidRequest):
    code = "consent_not_asked"
    title = "This purpose does not rest on consent"


class ExplicitConsentNeeded(InvalidRequest):
    code = "explicit_consent_needed"
    title = "This purpose needs an express yes of its own"


class CannotObject(InvalidRequest):
    code = "cannot_object"
    title = "This purpose cannot be objected to"


class NoticeUnknown(InvalidRequest):
    code = "notice_unknown"
    title = "There is no such version of the notice"


class PartUnknown(InvalidRequest):
    code = "part_unknown"
    title = "There is no such part of this purpose"


class GuardianNeeded(InvalidRequest):
    code = "guardian_needed"
    title = "A guardian has to agree for a child"


class AlreadyOfAge(InvalidRequest):
    code = "already_of_age"
    title = "A guardian cannot agree for an adult"


class NothingToWithdraw(Conflict):
    code = "nothing_to_withdraw"
    title = "No consent in force"


class NothingToAdjust(Conflict):
    code = "nothing_to_adjust"
    title = "No consent in force"


class RegionNeeded(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "region_needed"
    title = "The person's region is needed"


class NoCell(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "no_cell"
    title = "No cell may hold this person"


class OtherCell(Problem):
    status = HTTPStatus.MISDIRECTED_REQUEST
    code = "other_cell"
    title = "This person belongs to another cell"


class RegionConflict(Conflict):
    code = "region_conflict"
    title = "The region contradicts what is stored"


class SubjectErased(Conflict):
    """Refusal to store anything about a person who was erased, until they agree anew."""

    code = "subject_erased"
    title = "This person was erased"


class Superseded(Conflict):
    code = "superseded"
    title = "Somebody else changed this choice first"


class IdempotencyKeyReused(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"
    title = "This idempotency key was used for another request"
