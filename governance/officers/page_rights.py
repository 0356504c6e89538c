"""Right that a page of the admin takes, by the name of its address: for a refusal, and for a link that is offered."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.urls import Resolver404, resolve

# What a page of a model asks for where it is not named like the right.
_RIGHTS = {"changelist": "view", "history": "view"}
_NAMED_LIKE_THE_RIGHT = frozenset({"add", "change", "delete", "view"})
_OTHER_PAGES = {
    "notice-editor": "consent.add_notice",
    "rollout": "policies.view_rollout",
    "model-rollout": "personalization.view_modelrollout",
    "model-rollouts": "personalization.view_modelrollout",
    "model-overview": "model_registry.view_modelversion",
    "recommender-overview": "model_registry.view_modelversion",
    "recommender-playground": "personalization.use_playground",
}


def right_of(name: str, *, reads: bool) -> str:
    """Return the permission in Django's notation; empty for a page that is not one of a model's."""
    for model_admin in map(admin.site.get_model_admin, filter(admin.site.is_registered, apps.get_models())):
        app, model = model_admin.opts.app_label, model_admin.opts.model_name
        prefix = f"{app}_{model}_"
        if name.startswith(prefix):
            right = _right_for(name.removeprefix(prefix), model_admin, reads=reads)
            return right if "." in right else f"{app}.{right}_{model}"
    return _OTHER_PAGES.get(name, "")


def _right_for(page: str, model_admin: Any, *, reads: bool) -> str:
    """Return the right for a page of a model, or for an action on one object, which its admin may name in full."""
    right = _RIGHTS.get(page, page)
    if right == "change" and reads:
        return "view"
    if right in _NAMED_LIKE_THE_RIGHT:
        return right
    return str(getattr(model_admin, "action_rights", {}).get(page, "change"))


def may_open(user: User | AnonymousUser, url: str) -> bool:
    """Return whether a link of the admin leads somewhere for this officer."""
    try:
        name = resolve(url.partition("?")[0]).url_name or ""
    except Resolver404:
        return False
    right = right_of(name, reads=True)
    return not right or user.has_perm(right) or user.has_perm(right.replace(".view_", ".change_"))
