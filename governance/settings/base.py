"""Settings shared by every environment; the other files in this folder only override."""

import gc
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.templatetags.static import static
from psycopg.conninfo import conninfo_to_dict

from common.postgres import other_databases
from governance.admin_menu import SIDEBAR
from governance.env import read_environment
from governance.launcher.servers.running import home_option
from governance.monitoring import log_lines
from governance.oidc.client import Client
from privacy.rights.clocks.holidays import read_business_days

# Next to nothing is garbage while applications load, and looking for it took a fifth of that. GovernanceConfig puts
# back what was before; a process that loads no applications still looks, seldom.
GARBAGE_THRESHOLD = gc.get_threshold()
gc.set_threshold(100_000)
ENV = read_environment()
BASE_DIR = Path(__file__).resolve().parents[2]

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key.get_secret_value()
# Former secrets: what they signed is accepted, and the signing key made under one goes on signing until it is rotated.
SECRET_KEY_FALLBACKS = [secret.get_secret_value() for secret in ENV.secret_key_fallbacks]
ALLOWED_HOSTS = ENV.allowed_hosts
ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What this installation is (docs/settings.md).
ASSENT_HOME = ENV.assent_home
HOME_OPTION = home_option(ASSENT_HOME)  # behind each command that is printed
PSEUDONYM_KEYS = ENV.key_ring()
EXTERNAL_DATABASES = other_databases.read(ENV.external_databases.get_secret_value())
SUBJECT_KEY = bytes.fromhex(ENV.subject_key.get_secret_value())
PUBLIC_URL = ENV.public_url
TRUSTED_PROXIES = ENV.trusted_proxies
SUBJECT_OIDC = (
    Client(
        issuer=ENV.subject_oidc_issuer,
        client_id=ENV.subject_oidc_client_id,
        client_secret=ENV.subject_oidc_client_secret.get_secret_value(),
        claim=ENV.subject_oidc_claim,
        redirect_uri=f"{PUBLIC_URL}/privacy/sign-in/back",
    )
    if ENV.subject_oidc_issuer
    else None
)
OFFICER_MFA = ENV.officer_mfa
OFFICER_OIDC = (
    Client(
        issuer=ENV.officer_oidc_issuer,
        client_id=ENV.officer_oidc_client_id,
        client_secret=ENV.officer_oidc_client_secret.get_secret_value(),
        claim=ENV.officer_oidc_name_claim,
        redirect_uri=f"{PUBLIC_URL}/admin/sign-in/provider/back",
        more_scopes=tuple(ENV.officer_oidc_scopes),
    )
    if ENV.officer_oidc_issuer
    else None
)
OFFICER_OIDC_GROUPS_CLAIM = ENV.officer_oidc_groups_claim
# Groups at the provider and the roles they give here.
OFFICER_OIDC_ROLES = ENV.officer_oidc_roles or {}
PROCESSING_REGION = ENV.processing_region
# The table of cells where this installation is one of several; None where it stands alone.
CELLS = ENV.cells()
CELL_TIMEOUT_MS = ENV.cell_timeout_ms
READY_RULES_AGE_S = ENV.ready_rules_age_s
BUSINESS_NAME, BUSINESS_NAME_IS_SET = ENV.name_shown, ENV.business_name is not None
CERTIFICATION = ENV.certification

DRP_BUSINESS_ID = ENV.drp_business_id
# A mail server by one URL, such as smtps://name:secret@mail.example.org; letters leave from jobs only.
MAIL_IS_ON = ENV.mail_url is not None
MAIL_FROM = ENV.mail_from
_MAIL = urlsplit(ENV.mail_url.get_secret_value() if ENV.mail_url else "smtp://localhost")
EMAIL_HOST = _MAIL.hostname or "localhost"
EMAIL_PORT = _MAIL.port or {"smtps": 465, "smtp+starttls": 587}.get(_MAIL.scheme, 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_MAIL.username or ""), unquote(_MAIL.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.scheme == "smtps", _MAIL.scheme == "smtp+starttls"
EMAIL_TIMEOUT = 10
OPA_URL = ENV.opa_url.get_secret_value() if ENV.opa_url else None
OPA_CANDIDATE_URL = ENV.opa_candidate_url.get_secret_value() if ENV.opa_candidate_url else None
OPA_TIMEOUT_MS = ENV.opa_timeout_ms
ENGINE_TIMEOUT_MS = ENV.engine_timeout_ms
ENGINE_PROCESSES = ENV.engine_processes
OPA_PUSH = ENV.opa_push
OPA_STAND_IN = ENV.opa_stand_in
OPA_BREAKER_FAILURES = ENV.opa_breaker_failures
OPA_BREAKER_REST_MS = ENV.opa_breaker_rest_ms
OPA_LONG_POLL_S = ENV.opa_long_poll_s
OPA_LONG_POLL_WAITERS = ENV.opa_long_poll_waiters
OPA_UNSIGNED_BUNDLES = ENV.opa_unsigned_bundles
OPA_DECISIONS_KEEP_DAYS = ENV.opa_decisions_keep_days
HOLIDAYS = ENV.holidays()
BUSINESS_DAYS = read_business_days(ENV.business_days)
RIGHTS_OWN_DAYS = ENV.rights_own_days
RETRAIN_AFTER_ERASURE = ENV.retrain_after_erasure
MODEL_AUDITS = ENV.model_audits
RETENTION_MAX_SHARE_PERCENT = ENV.retention_max_share_percent
RETENTION_GENTLE = ENV.retention_gentle
RETENTION_ROWS_PER_S = ENV.retention_rows_per_s
RETENTION_REPLICA_LAG_S = ENV.retention_replica_lag_s
SCRUB_NIGHTLY = ENV.scrub_nightly
READY_OPA_BEHIND_S = ENV.ready_opa_behind_s
EVIDENCE_FULL_CHECK = ENV.evidence_full_check
READY_LOG_LAG_S = ENV.ready_log_lag_s
_TRACES = ENV.otel_exporter_otlp_endpoint
TRACES_ENDPOINT = _TRACES.get_secret_value() if _TRACES else None
TRACES_SHARE = ENV.otel_traces_sampler_arg
SPOOL_DIR = ASSENT_HOME / "spool"
ERASURE_LEDGER_COPY = ENV.erasure_ledger_copy
DECISION_LOG_EXPORTS = ENV.decision_log_exports
MODEL_DIR = ASSENT_HOME / "models"
RELEASE_DIR = ASSENT_HOME / "releases"  # uploaded tables, and the copies made of them
ANALYTICS = ENV.analytics
ANALYTICS_MEMORY_MB = ENV.analytics_memory_mb
ANALYTICS_DIR = ENV.analytics_dir or ASSENT_HOME / "analytics"
SPARK_MASTER = ENV.spark_master

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # dates relative to now, on the pages
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "common",
    "audit",
    "oversight",
    "consent",
    "privacy",
    "privacy.rights",
    "model_registry",
    "model_registry.reviews",
    "policies",
    "personalization",
    "governance",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "governance.web.middleware.SecurityHeaders",
    "governance.web.middleware.Problems",
    "governance.web.unreadable_text.UnreadableText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "governance.web.languages.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "governance.sign_in.gate.SecondFactorGate",
    "governance.web.middleware.ActingOfficer",
    "governance.officers.single_officer.MarkedExports",
    "governance.web.time_zones.OfficersTimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.officers.single_officer.context",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    parts = conninfo_to_dict(url)
    known = {key: str(parts.pop(key, "") or "") for key in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": known["dbname"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "HOST": known["host"],
        "PORT": known["port"],
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**parts, "connect_timeout": 5, "application_name": "assent"},
    }


DATABASE_POOLING = ENV.database_pooling
DATABASES = {
    "default": {
        **_database(ENV.database_url.get_secret_value()),
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLING == "transaction",
    }
}

CELERY_BROKER_URL = ENV.broker_url.get_secret_value()
CELERY_TASK_ALWAYS_EAGER = False

STATIC_URL = "/static/"
STATIC_ROOT = ASSENT_HOME / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French"), ("es", "Spanish")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # also where an officer's sign-in names a page of another site

_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = _SECURE
CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_NAME = "__Host-assent_officer" if _SECURE else "assent_officer"
CSRF_COOKIE_NAME = "__Host-assent_csrf" if _SECURE else "assent_csrf"
SUBJECT_COOKIE_NAME = "__Host-assent_subject" if _SECURE else "assent_subject"
OFFICER_SIGN_IN_COOKIE_NAME = "__Host-assent_officer_sign_in" if _SECURE else "assent_officer_sign_in"
SIGN_IN_COOKIE_NAME = "__Host-assent_sign_in" if _SECURE else "assent_sign_in"
MESSAGE_COOKIE_NAME = "__Host-assent_messages" if _SECURE else "assent_messages"
LANGUAGE_COOKIE_NAME = "__Host-assent_language" if _SECURE else "assent_language"
MESSAGE_STORAGE = "governance.web.message_storage.MessageStorage"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["policies.endpoints.authentication.ServiceCredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["common.http.rest.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["common.http.rest.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["common.http.rest.JsonRenderer"],
    "DEFAULT_SCHEMA_CLASS": "governance.openapi.auto_schema.AutoSchema",
    "EXCEPTION_HANDLER": "common.http.rest.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Assent",
    "VERSION": "1",
    "DESCRIPTION": (
        "Consent in, decision out. Every call carries a service credential as a Bearer token; "
        "errors are problem+json with a stable `code`."
    ),
    "OAS_VERSION": "3.1.1",  # the version whose schemas are JSON Schema, as pydantic writes them
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["governance.openapi.document.finish_document"],
    "COMPONENT_SPLIT_REQUEST": True,
}

UNFOLD = {
    "SITE_TITLE": "Assent",
    "SITE_HEADER": "Assent",
    "SITE_SUBHEADER": "Privacy and consent governance",
    "SITE_SYMBOL": "verified_user",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("assent/mark.svg")},
    ],
    "STYLES": [lambda request: static("assent/admin.css")],
    "SCRIPTS": [lambda request: static("assent/admin.js")],
    "DASHBOARD_CALLBACK": "governance.officers.start_page.context",
    "SIDEBAR": SIDEBAR,
    "COLORS": {
        "primary": {
            "50": "#f1f4fb",
            "100": "#e0e7f6",
            "200": "#c7d4f0",
            "300": "#a8bdf5",
            "400": "#a8bdf5",
            "500": "#4a68ad",
            "600": "#2f4a8f",
            "700": "#273d76",
            "800": "#223461",
            "900": "#1f2d52",
            "950": "#141d36",
        },
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": log_lines.PLAIN},
        "json": {"()": "governance.monitoring.log_lines.JsonLines"},
    },
    "filters": {"no-quotes": {"()": "governance.web.refusals_in_log.WithoutQuotes"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": ENV.log_format, "filters": ["no-quotes"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Its messages quote the path, which callers may fill with anything.
        "django.request": {"level": "ERROR"},
        # Warns of every attempt to reach a collector that is away; its giving up is worth a line.
        "opentelemetry": {"level": "ERROR"},
    },
}
