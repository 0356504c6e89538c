"""The officer behind a request, as the audit trail names one."""

from django.http import HttpRequest


def officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"
