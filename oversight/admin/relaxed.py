"""Page of oversight settings: registers that one officer may change, as this installation decided by change set."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from common.admin_pages.model_admin import ModelAdmin
from oversight import registers, relaxing
from oversight.admin.forms import DraftsChanges
from oversight.models import RelaxedRegister


def _choices() -> list[tuple[str, str]]:
    return [(each.name, each.title) for each in registers.all_registers() if relaxing.can_relax(each)]


class RelaxedRegisterForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    register = forms.ChoiceField(
        choices=_choices,
        label="Register",
        widget=UnfoldAdminSelectWidget,
        help_text="One officer brings its changes into force; another looks at each of them afterwards. Rights of "
        "officers, holds and these settings always need two.",
    )
    reason = forms.CharField(
        label="Why one officer is enough",
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Read by the officer who approves this, and by auditors.",
    )


@admin.register(RelaxedRegister)
class RelaxedRegisterAdmin(DraftsChanges, ModelAdmin):
    form = RelaxedRegisterForm
    list_display = ["title", "reason"]
    fields = ["register", "reason"]

    @display(description="Register", ordering="register")
    def title(self, setting: RelaxedRegister) -> str:
        return registers.find(setting.register).title

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["register"] if obj else []
