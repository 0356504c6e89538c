"""Row of a requester: an address that ends with the request, a mandate, and the code that proves the address."""

from django.db import models
from django.db.models import Q

from privacy.rights.requesters.proof import Acting

_ACTING = {Acting.SELF: "The person", Acting.GUARDIAN: "A guardian", Acting.AGENT: "An agent with a mandate"}


class Requester(models.Model):
    """Who asks, where that is not the person's own session.

    ``address``: the e-mail address, sealed under a key that ends when the request closes; ``address_tag``: its
    pseudonym, which recognises it when it is typed again; ``is_persons_address``: an agent asks, and the person proves
    it. ``code_hash``: keyed hash of the code that waits.
    """

    request = models.OneToOneField("rights.RightsRequest", on_delete=models.PROTECT, related_name="requester")
    acting = models.CharField(max_length=8, choices=list(_ACTING.items()), default=Acting.SELF)
    locale = models.CharField(max_length=16)
    address = models.BinaryField(null=True)
    address_salt = models.BinaryField(max_length=16, null=True)
    address_tag = models.UUIDField(null=True)
    is_persons_address = models.BooleanField(default=False)
    code_hash = models.BinaryField(max_length=32, null=True)
    code_expires_at = models.DateTimeField(null=True)
    codes_sent = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    proven_at = models.DateTimeField(null=True)
    mandate_until = models.DateField(null=True)
    mandate_withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rights_mandates_are_of_others",
                condition=~Q(acting=Acting.SELF) | Q(mandate_until=None, mandate_withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"requester of {self.request_id}"
