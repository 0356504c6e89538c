from django.urls import path

from governance.sign_in import account_pages, invitations, provider_pages, step_pages

urlpatterns = [
    path("sign-in/step", step_pages.step, name="officer-step"),
    path("sign-in/passkey/options", step_pages.passkey_options, name="officer-step-options"),
    path("sign-in/passkey", step_pages.passkey, name="officer-step-passkey"),
    path("sign-in/provider", provider_pages.start, name="officer-provider"),
    path("sign-in/provider/back", provider_pages.back, name="officer-provider-back"),
    path("invitation/<uidb64>/<token>/", invitations.Invitation.as_view(), name="officer-invitation"),
    path("account/", account_pages.page, name="officer-account"),
    path("account/app", account_pages.add_app, name="officer-add-app"),
    path("account/passkey/options", account_pages.passkey_options, name="officer-passkey-options"),
    path("account/passkey", account_pages.add_passkey, name="officer-add-passkey"),
    path("account/passkey/added", account_pages.after_passkey, name="officer-after-passkey"),
    path("account/recovery-codes", account_pages.recovery_codes, name="officer-recovery-codes"),
    path("account/factors/<int:number>/remove", account_pages.remove, name="officer-remove-factor"),
    path("account/sessions/<uuid:number>/end", account_pages.end_session, name="officer-end-session"),
    path("account/sessions/end-others", account_pages.end_others, name="officer-end-others"),
]
