"""System checks of settings that are each valid and together not what an operator wants."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 (Django's own name)


@register(Tags.security, deploy=True)
def check_second_factor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check whether a stolen password opens the administration of a site that others can reach."""
    if not settings.PUBLIC_URL.startswith("https://") or settings.OFFICER_MFA == "required":
        return []
    return [
        Warning(
            "Officers may sign in with a password alone.",
            hint="Set OFFICER_MFA=required: every officer adds an authenticator app or a passkey.",
            id="governance.W002",
        )
    ]


@register(deploy=True)
def check_business_name(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check whether people read who it is that asks them."""
    if settings.BUSINESS_NAME_IS_SET:
        return []
    return [
        Warning(
            f"People's pages, letters and receipts say {settings.BUSINESS_NAME!r}: the installation has no name.",
            hint="Set BUSINESS_NAME to the name your customers know you by.",
            id="governance.W003",
        )
    ]


@register(Tags.security, deploy=True)
def check_trusted_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check for a TLS proxy that is not trusted: all visitors would share one network's limits."""
    if not settings.PUBLIC_URL.startswith("https://") or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "No proxy is trusted, so everybody behind the TLS proxy shares one network's rate limits.",
            hint="Set TRUSTED_PROXIES to the network of the proxy, such as 10.0.0.0/8.",
            id="governance.W001",
        )
    ]
