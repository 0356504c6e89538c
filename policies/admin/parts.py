"""Parts shared by several pages of the policy layer."""

import json

from django.http import HttpRequest
from django.utils.html import format_html


def officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"


def pretty(text: str) -> str:
    return format_html("<pre>{}</pre>", json.dumps(json.loads(text), indent=2, ensure_ascii=False))
