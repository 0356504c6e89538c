"""Answer of the provider, as the browser brings it back: checked, and its code exchanged."""

import hmac

from django.http import HttpRequest

from governance.oidc import provider
from governance.oidc.attempts import Attempt
from governance.oidc.client import Client, SignInRefused


def id_token(request: HttpRequest, client: Client, attempt: Attempt | None) -> tuple[Attempt, str]:
    """Return the attempt and the ID token of its answer, not validated. Raises SignInRefused, ProviderUnavailable."""
    if attempt is None or not attempt.is_state(request.GET.get("state", "")):
        raise SignInRefused("this browser did not ask, or too long ago")
    named = request.GET.get("iss")
    if named is None and provider.metadata.get(client).names_itself:
        raise SignInRefused("the answer does not say who gives it")
    if named is not None and not hmac.compare_digest(named.encode(), client.issuer.encode()):
        raise SignInRefused("the answer is another provider's")
    code = request.GET.get("code", "")
    if "error" in request.GET or not 0 < len(code) <= 4096:
        raise SignInRefused("the provider gave no code")
    return attempt, provider.id_token_for(client, code=code, verifier=attempt.verifier)
