"""What a scrub needs of the server. Without all of it, what was deleted stays in files that no statement reaches."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

_SETTINGS = (
    "wal_recycle", "wal_keep_size", "archive_mode", "log_error_verbosity", "log_min_error_statement",
    "log_statement", "log_min_duration_statement", "log_min_duration_sample", "log_parameter_max_length_on_error",
)  # fmt: skip
_RIGHTS = """
SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE'),
  has_function_privilege('pg_switch_wal()', 'EXECUTE'),
  pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE'),
  (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication),
  to_regprocedure('pg_clear_attribute_stats(text, text, text, boolean)') IS NOT NULL
"""


@dataclass(frozen=True)
class Server:
    """What a server says of itself: settings, rights of our role, and who else receives its write-ahead log."""

    settings: dict[str, str]
    may_checkpoint: bool
    may_switch_wal: bool
    owns_database: bool
    slots: int
    replicas: int
    clears_statistics: bool
    is_pooled: bool


@dataclass(frozen=True)
class Condition:
    """One condition and, where it is not met, what to do."""

    is_met: Callable[[Server], bool]
    remedy: str


def _is(name: str, *wanted: str) -> Callable[[Server], bool]:
    return lambda server: server.settings.get(name) in wanted


_NEEDED = (
    Condition(
        _is("wal_recycle", "off"),
        "wal_recycle is on: segments of the write-ahead log are renamed with their content. Set it off.",
    ),
    Condition(_is("wal_keep_size", "0"), "wal_keep_size keeps old segments of the write-ahead log. Set it to 0."),
    Condition(
        lambda server: server.may_checkpoint,
        "The role may not write a checkpoint. As superuser: GRANT pg_checkpoint TO the role.",
    ),
    Condition(
        lambda server: server.may_switch_wal,
        "The role may not switch the write-ahead log. As superuser, in this database: GRANT EXECUTE ON FUNCTION"
        " pg_switch_wal() TO the role.",
    ),
    Condition(
        lambda server: server.owns_database,
        "The role does not own the database, so it cannot rewrite pg_statistic. As superuser: ALTER DATABASE ... OWNER"
        " TO the role.",
    ),
    Condition(
        lambda server: server.clears_statistics,
        "Statistics of an emptied table stay: PostgreSQL 18 is the first release that clears them.",
    ),
    Condition(
        lambda server: not server.is_pooled,
        "A pooler stands between (DATABASE_POOLING). Give this command the server's own address in DATABASE_URL.",
    ),
    Condition(
        _is("log_error_verbosity", "terse"),
        "The server's log quotes values of rows. Set log_error_verbosity to terse.",
    ),
    Condition(
        _is("log_min_error_statement", "panic", "fatal"),
        "The server's log quotes statements with their values. Set log_min_error_statement to panic.",
    ),
    Condition(
        _is("log_parameter_max_length_on_error", "0"),
        "The server's log quotes parameters. Set log_parameter_max_length_on_error to 0.",
    ),
    Condition(_is("log_statement", "none", "ddl"), "The server logs statements. Set log_statement to none."),
    Condition(
        lambda server: (
            {server.settings.get(name) for name in ("log_min_duration_statement", "log_min_duration_sample")} == {"-1"}
        ),
        "The server logs slow statements with their values. Set log_min_duration_statement and log_min_duration_sample"
        " to -1.",
    ),
)
# Copies of the log that no statement here reaches; an operator who lets them age by other means says so.
_APART = (
    Condition(
        _is("archive_mode", "off"),
        "The write-ahead log is archived: the archive holds what was deleted until its segments are removed.",
    ),
    Condition(
        lambda server: not server.slots and not server.replicas,
        "Replicas or replication slots keep the write-ahead log: they hold what was deleted.",
    ),
)


def read() -> Server:
    """Ask the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(_SETTINGS)])
        found = dict(cursor.fetchall())
        cursor.execute(_RIGHTS)
        may_checkpoint, may_switch_wal, owns_database, slots, replicas, clears_statistics = cursor.fetchone()
    return Server(
        settings=found,
        may_checkpoint=may_checkpoint,
        may_switch_wal=may_switch_wal,
        owns_database=owns_database,
        slots=slots,
        replicas=replicas,
        clears_statistics=clears_statistics,
        is_pooled=settings.DATABASE_POOLING == "transaction",
    )


def unmet(server: Server, *, copies_apart: bool = False) -> list[str]:
    """Return what keeps a scrub from being one, each with its remedy; ``copies_apart`` leaves archive and replicas."""
    wanted = _NEEDED if copies_apart else (*_NEEDED, *_APART)
    return [condition.remedy for condition in wanted if not condition.is_met(server)]
