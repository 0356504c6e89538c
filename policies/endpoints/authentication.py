"""Authenticate services on the ordinary API by Bearer token (RFC 6750)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from common.http.bearer import bearer_token
from policies.endpoints.credentials import may_be_ours, token_hash
from policies.models import ServiceCredential


class ServiceCredentialAuthentication(BaseAuthentication):
    """Bearer authentication of services. Unknown, expired and revoked tokens get the same words."""

    def authenticate(self, request: Request) -> tuple[ServiceCredential, ServiceCredential] | None:
        token = bearer_token(request.META.get("HTTP_AUTHORIZATION", ""))
        if token is None:
            return None
        credential = None
        if may_be_ours(token):
            credential = ServiceCredential.objects.filter(token_hash=token_hash(token)).first()
        if credential is None or not credential.is_valid:
            raise exceptions.AuthenticationFailed("The credential is not valid. Create one or ask for a new one.")
        return credential, credential

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="assent"'


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = ServiceCredentialAuthentication
    name = "service_credential"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """Name the scope the view requires."""
        return {self.name: [auto_schema.view.required_scope]}
