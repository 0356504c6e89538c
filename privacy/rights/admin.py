"""Officers' page of authorised agents: saving one drafts a change set."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import NOTHING, badge, moment
from common.admin_pages.model_admin import ModelAdmin
from oversight.admin.forms import DraftsChanges
from privacy.rights.models import Agent


class AgentForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    web_url = forms.URLField(required=False, assume_scheme="https", label="Website", widget=UnfoldAdminTextInputWidget)

    class Meta:
        labels = {
            "slug": "Id in the directory",
            "verify_key": "Public key",
            "is_active": "In use",
        }
        help_texts = {
            "slug": "As it stands in the directory of the Data Rights Protocol. It can never be changed.",
            "verify_key": "Ed25519, 32 bytes in base64. What the agent sends is signed with its other half.",
            "is_active": "Switched off, the agent's messages and tokens are refused.",
        }


@admin.register(Agent)
class AgentAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    form = AgentForm
    list_display = ["name", "slug", "in_use", "token_since"]
    list_select_related = ["token"]
    fields = ["name", "slug", "web_url", "verify_key", "is_active"]

    @display(description="State", ordering="is_active")
    def in_use(self, agent: Agent) -> str:
        return badge("Active", "good") if agent.is_active else badge("Inactive")

    @display(description="Token since")
    def token_since(self, agent: Agent) -> str:
        token = getattr(agent, "token", None)
        return moment(token.issued_at) if token else NOTHING

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
