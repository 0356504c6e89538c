"""Environment of a process: every variable is read here, once, with its type.

Nonsense is refused at start (``DEBUG=yes`` is an error, not true). Secrets may also come from a file named by
``NAME_FILE``. Nothing secret is ever part of a message.
"""

import re
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.postgres import other_databases
from governance.officers.roles import ROLES
from policies.cells.table import NAME, Table, read_table
from privacy.anonymisation.actions.keys import KeyRing
from privacy.anonymisation.actions.keys import read as read_keys
from privacy.rights.clocks.holidays import read_business_days, read_holidays


class BadEnvironment(SystemExit):
    """Refusal of a variable that is missing or makes no sense; the process must not start."""


def _strict_bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    try:
        return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _url(*schemes: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        try:
            scheme = urlsplit(value.get_secret_value()).scheme
        except ValueError:
            # Python's own message quotes the part with the password.
            raise ValueError("is not a URL") from None
        if scheme not in schemes:
            raise ValueError(f"must start with one of: {', '.join(s + '://' for s in schemes)}")
        return value

    return AfterValidator(check)


def _connection_string(value: SecretStr) -> SecretStr:
    try:
        conninfo_to_dict(value.get_secret_value())
    except psycopg.Error:
        # libpq's own message quotes the part it cannot read, which may be the password.
        raise ValueError("is not a connection string that PostgreSQL can read") from None
    return value


def _list(value: Any) -> Any:
    return [host.strip() for host in value.split(",") if host.strip()] if isinstance(value, str) else value


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", value.rstrip("/")):
        raise ValueError("must be an origin such as https://privacy.example.org")
    if value.startswith("http://") and not _is_loopback(value):
        raise ValueError("must be https: cookies that sign people in travel over it (http is for this machine only)")
    return value.rstrip("/")


def _issuer(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", value):
        raise ValueError("must be an issuer such as https://login.example.org/realms/shop")
    if value.startswith("http://") and not _is_loopback(value):
        raise ValueError("must be https (http is for an issuer on this machine only)")
    return value


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


Flag = Annotated[bool, BeforeValidator(_strict_bool)]
Hosts = Annotated[list[str], NoDecode, BeforeValidator(_list), Field(min_length=1)]
Secrets = Annotated[list[SecretStr], NoDecode, BeforeValidator(_list)]
Origin = Annotated[str, AfterValidator(_origin)]
Networks = Annotated[list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_list)]
Issuer = Annotated[str, AfterValidator(_issuer)]
_MailUrl = Annotated[SecretStr, _url("smtp", "smtp+starttls", "smtps")]
_CLAIM = r"^[A-Za-z0-9_:/.-]{1,128}$"


def _roles(value: Any) -> Any:
    """Read ``GROUP=ROLE`` pairs into the roles of each group."""
    if not isinstance(value, str):
        return value
    found: dict[str, list[str]] = {}
    for pair in filter(None, (part.strip() for part in value.split(","))):
        group, _, role = pair.rpartition("=")
        if not group.strip() or role.strip() not in ROLES:
            raise ValueError(f"must be GROUP=ROLE, separated by commas, with roles of: {', '.join(ROLES)}")
        found.setdefault(group.strip(), []).append(role.strip())
    return found


Roles = Annotated[dict[str, list[str]], NoDecode, BeforeValidator(_roles)]


def _business_days(value: str) -> str:
    read_business_days(value)
    return value


class Environment(BaseSettings):
    """Settings of a process of Assent. Names are the variables' names in lower case."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[SecretStr, _url("postgresql", "postgres"), AfterValidator(_connection_string)]
    # "transaction" behind a pooler that gives each transaction another session: nothing is kept in a session then.
    database_pooling: Literal["session", "transaction"] = "session"
    broker_url: Annotated[SecretStr, _url("redis", "rediss", "redis+socket", "memory")]
    opa_url: Annotated[SecretStr, _url("http", "https")] | None = None
    # A server holds one revision at a time. Unset: the embedded engine evaluates the candidate of a rollout.
    opa_candidate_url: Annotated[SecretStr, _url("http", "https")] | None = None
    opa_timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = 250
    # Processor time of one evaluation by the embedded engine, and how many of its processes a web process may have.
    engine_timeout_ms: Annotated[int, Field(ge=10, le=10_000)] = 250
    engine_processes: Annotated[int, Field(ge=1, le=64)] = 2
    # false where the OPA server pulls bundles itself: it refuses to be given another.
    opa_push: Flag = True
    opa_stand_in: Literal["embedded"] | None = None
    opa_breaker_failures: Annotated[int, Field(ge=1, le=1_000)] = 5
    opa_breaker_rest_ms: Annotated[int, Field(ge=100, le=60_000)] = 2_000
    # Each waiting OPA server holds a thread of the web process: few may, and not for long.
    opa_long_poll_s: Annotated[int, Field(ge=0, le=30)] = 10
    opa_long_poll_waiters: Annotated[int, Field(ge=0, le=64)] = 1
    # Bundles without a signature, for servers that cannot verify one.
    opa_unsigned_bundles: Flag = False
    # The database itself refuses to delete them in the first 30 days.
    opa_decisions_keep_days: Annotated[int, Field(ge=31, le=3_660)] = 90
    # A nightly deletion of a larger share of a purpose's data waits for an officer.
    retention_max_share_percent: Annotated[int, Field(ge=1, le=100)] = 30
    # Retention rests between its batches while others wait; 0 rows a second is no limit of its own.
    retention_gentle: Flag = True
    retention_rows_per_s: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    retention_replica_lag_s: Annotated[int, Field(ge=1, le=3_600)] = 10
    scrub_nightly: Flag = False
    ready_opa_behind_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    # People's rights: public holidays by region, days of business, and the time to answer where a law gives no number.
    holidays_file: Path | None = None
    # Letters to people without an account; unset: none are sent, and the form for them is closed.
    mail_url: _MailUrl | None = None
    mail_url_file: Path | None = None
    # This business's id in a directory of the Data Rights Protocol; unset: the protocol's endpoints are closed.
    drp_business_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{0,128}$")] = ""
    mail_from: Annotated[str, Field(pattern=r"^([^@\s<>]+@[^@\s<>]+)?$", max_length=254)] = ""
    business_days: Annotated[str, AfterValidator(_business_days)] = "law"
    rights_own_days: Annotated[int, Field(ge=1, le=90)] = 30
    retrain_after_erasure: Literal["at_once", "nightly"] = "at_once"
    analytics: Literal["duckdb", "spark"] = "duckdb"
    analytics_memory_mb: Annotated[int, Field(ge=64, le=1_048_576)] = 768
    # Where Spark and its executors exchange tables; None: in ASSENT_HOME.
    analytics_dir: Path | None = None
    spark_master: Annotated[str, Field(pattern=r"^(local(\[(\d{1,4}|\*)\])?|(spark|k8s|yarn)(://\S{1,200})?)$")] = (
        "local[*]"
    )
    model_audits: Literal["after_training", "before_review", "by_hand"] = "after_training"
    evidence_full_check: Literal["weekly", "monthly", "never"] = "weekly"
    log_format: Literal["json", "text"] = "json"
    ready_log_lag_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    assent_home: Path
    erasure_ledger_copy: Path | None = None
    # Where days of the decision log are written before they are dropped; None: nowhere.
    decision_log_exports: Path | None = None
    secret_key: SecretStr = SecretStr("")
    secret_key_file: Path | None = None
    secret_key_fallbacks: Secrets = []
    secret_key_fallbacks_file: Path | None = None
    subject_key: SecretStr = SecretStr("")
    subject_key_file: Path | None = None
    # Of released tables, ID:HEX by commas, the current one first. Unset: derived from the secret key.
    pseudonym_keys: SecretStr = SecretStr("")
    pseudonym_keys_file: Path | None = None
    # Other databases whose tables may be released: NAME=postgresql://..., by white space.
    external_databases: SecretStr = SecretStr("")
    external_databases_file: Path | None = None
    public_url: Origin = "http://localhost:8000"
    allowed_hosts: Hosts = ["localhost", "127.0.0.1", "[::1]"]
    # Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8: the proxies in front, no others.
    trusted_proxies: Networks = []
    subject_oidc_issuer: Issuer | None = None
    subject_oidc_client_id: Annotated[str, Field(max_length=255)] = ""
    subject_oidc_client_secret: SecretStr = SecretStr("")
    subject_oidc_client_secret_file: Path | None = None
    subject_oidc_claim: Annotated[str, Field(pattern=_CLAIM)] = "sub"
    # Whether every officer needs a second factor, or only those who have set one up.
    officer_mfa: Literal["required", "optional"] = "optional"
    officer_oidc_issuer: Issuer | None = None
    officer_oidc_client_id: Annotated[str, Field(max_length=255)] = ""
    officer_oidc_client_secret: SecretStr = SecretStr("")
    officer_oidc_client_secret_file: Path | None = None
    officer_oidc_name_claim: Annotated[str, Field(pattern=_CLAIM)] = "preferred_username"
    officer_oidc_groups_claim: Annotated[str, Field(pattern=_CLAIM)] = "groups"
    officer_oidc_scopes: Annotated[list[Annotated[str, Field(pattern=_CLAIM)]], NoDecode, BeforeValidator(_list)] = [
        "profile"
    ]
    # GROUP=ROLE, separated by commas: what a group at the provider gives here.
    officer_oidc_roles: Roles | None = None
    debug: Flag = False
    certification: Flag = False
    processing_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")] = "eu-central"
    # One of several cells: its name, and the table of all of them (docs/cells.md). Unset: an installation of its own.
    cell: Annotated[str, Field(pattern=NAME)] | None = None
    cells_file: Path | None = None
    cell_timeout_ms: Annotated[int, Field(ge=50, le=30_000)] = 2_000
    ready_rules_age_s: Annotated[int, Field(ge=60, le=86_400)] = 900
    # OpenTelemetry's own names. Without the first nothing is traced (docs/operations.md).
    otel_exporter_otlp_endpoint: Annotated[SecretStr, _url("http", "https")] | None = None
    otel_traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1.0
    business_name: Annotated[str, Field(min_length=1, max_length=80)] | None = None

    @property
    def name_shown(self) -> str:
        """Return what people's pages call this installation: without a name its host, which is at least true."""
        return self.business_name or urlsplit(self.public_url).hostname or "localhost"

    @model_validator(mode="after")
    def _read_secret_files(self) -> "Environment":
        for name in ("secret_key", "subject_key"):
            path = getattr(self, f"{name}_file")
            if path is not None:
                setattr(self, name, SecretStr(_read(path, name)))
            if len(getattr(self, name).get_secret_value()) < 32:
                raise ValueError(f"{name.upper()} (or {name.upper()}_FILE) must hold at least 32 characters")
        if not re.fullmatch(r"([0-9a-f]{2}){32,64}", self.subject_key.get_secret_value()):
            raise ValueError("SUBJECT_KEY (or SUBJECT_KEY_FILE) must be 64 to 128 hexadecimal digits, two for a byte")
        return self

    @model_validator(mode="after")
    def _read_pseudonym_keys(self) -> "Environment":
        if self.pseudonym_keys_file is not None:
            self.pseudonym_keys = SecretStr(_read(self.pseudonym_keys_file, "pseudonym_keys"))
        self.key_ring()
        return self

    def key_ring(self) -> KeyRing | None:
        """Return the keys of pseudonyms that were stated; None where they are derived. Raises ValueError."""
        stated = self.pseudonym_keys.get_secret_value()
        return read_keys(stated) if stated else None

    @model_validator(mode="after")
    def _read_external_databases(self) -> "Environment":
        if self.external_databases_file is not None:
            self.external_databases = SecretStr(_read(self.external_databases_file, "external_databases"))
        try:
            other_databases.read(self.external_databases.get_secret_value())
        except ValueError as refused:
            raise ValueError(f"EXTERNAL_DATABASES {refused}") from None
        return self

    @model_validator(mode="after")
    def _read_former_secrets(self) -> "Environment":
        if self.secret_key_fallbacks_file is not None:
            lines = _read(self.secret_key_fallbacks_file, "secret_key_fallbacks").split()
            self.secret_key_fallbacks = [SecretStr(line) for line in lines]
        if any(len(secret.get_secret_value()) < 32 for secret in self.secret_key_fallbacks):
            raise ValueError("SECRET_KEY_FALLBACKS (or ..._FILE) must hold secrets of at least 32 characters each")
        return self

    @model_validator(mode="after")
    def _cell_is_in_its_table(self) -> "Environment":
        table = self.cells()
        if table is None:
            return self
        region = table.own.processing_region
        if "processing_region" in self.model_fields_set and self.processing_region != region:
            raise ValueError("PROCESSING_REGION is another than CELLS_FILE says of this cell")
        self.processing_region = region
        return self

    def cells(self) -> Table | None:
        """Return the cell table of the deployment; None for an installation of its own."""
        if self.cell is None and self.cells_file is None:
            return None
        if self.cell is None or self.cells_file is None:
            raise ValueError("CELL and CELLS_FILE are needed together")
        return read_table(self.cells_file, self.cell)

    @model_validator(mode="after")
    def _sign_in_is_complete(self) -> "Environment":
        for who in ("subject_oidc", "officer_oidc"):
            self._check_provider(who)
        if self.officer_oidc_issuer and not self.officer_oidc_roles:
            raise ValueError("OFFICER_OIDC_ISSUER needs OFFICER_OIDC_ROLES: without a role no officer may sign in")
        return self

    @model_validator(mode="after")
    def _mail_is_complete(self) -> "Environment":
        if self.mail_url_file is not None:
            self.mail_url = TypeAdapter(_MailUrl).validate_python(_read(self.mail_url_file, "mail_url"))
        if self.mail_url is not None and not self.mail_from:
            raise ValueError("MAIL_URL needs MAIL_FROM, the address that letters come from")
        return self

    @model_validator(mode="after")
    def _check_holidays(self) -> "Environment":
        self.holidays()
        return self

    def holidays(self) -> dict[str, frozenset[date]]:
        """Return the public holidays by region; none without a file."""
        return read_holidays(self.holidays_file) if self.holidays_file else {}

    def _check_provider(self, who: str) -> None:
        path: Path | None = getattr(self, f"{who}_client_secret_file")
        if path is not None:
            setattr(self, f"{who}_client_secret", SecretStr(_read(path, f"{who}_client_secret")))
        issuer: str | None = getattr(self, f"{who}_issuer")
        if issuer is None:
            return
        name = who.upper()
        if not getattr(self, f"{who}_client_id") or not getattr(self, f"{who}_client_secret").get_secret_value():
            raise ValueError(f"{name}_ISSUER needs {name}_CLIENT_ID and {name}_CLIENT_SECRET (or ..._SECRET_FILE)")
        if issuer.startswith("http://") and self.public_url.startswith("https://"):
            raise ValueError(f"{name}_ISSUER must be https where PUBLIC_URL is")


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text().strip()
    except OSError as exc:
        raise ValueError(f"{name.upper()}_FILE cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError:
        raise ValueError(f"{name.upper()}_FILE is not text") from None


def read_environment() -> Environment:
    """Read the process environment. Raises BadEnvironment with one line per fault."""
    try:
        return Environment()
    except ValidationError as exc:
        lines = [
            f"  {'.'.join(str(part) for part in error['loc']).upper() or 'environment'}: "
            f"{error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_input=False, include_url=False)
        ]
        raise BadEnvironment("The environment cannot be used:\n" + "\n".join(lines)) from None
