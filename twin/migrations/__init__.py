"""The schema, brought up to date by Alembic running the plain SQL in `sql/`, forward only.

One process migrates at a time, the others wait for it (an advisory lock).
"""

from collections.abc import Callable
from pathlib import Path

import psycopg

from twin.errors import Conflict

FOLDER = Path(__file__).parent
LOCK = 0x7477696E  # "twin"
OLDEST = 16  # major version of PostgreSQL


def known_versions() -> list[str]:
    """All versions this program knows, oldest first: `["0001", …]`."""
    return sorted(path.name[:4] for path in (FOLDER / "sql").glob("[0-9][0-9][0-9][0-9]_*.sql"))


def run(name: str) -> Callable[[], None]:
    """What a version does: run `sql/<name>` verbatim in Alembic's transaction."""

    def upgrade() -> None:
        from alembic import op

        connection = op.get_bind().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        connection.execute((FOLDER / "sql" / name).read_text("utf-8"))

    return upgrade


def current_version(conn: psycopg.Connection) -> str | None:
    """The version of the schema; None for an empty database."""
    if conn.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    found = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


def migrate(url: str) -> None:
    """Bring the schema at `url` to the newest version.

    Raises Conflict for a PostgreSQL that is too old, for a database that is ahead of this program, and for a database
    user who lacks a right; the text says which.
    """
    newest = known_versions()[-1]
    with psycopg.connect(url, autocommit=True) as conn:
        major = conn.info.server_version // 10_000
        if major < OLDEST:
            raise Conflict("database.too_old", found=major, needed=OLDEST)
        if current_version(conn) == newest:
            return
        conn.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        found = current_version(conn)
        if found and found > newest:
            raise Conflict("database.newer", found=found, known=newest)
        if found != newest:
            try:
                _upgrade(url)
            except (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege) as error:
                raise Conflict("database.role", reason=error.diag.message_primary or str(error)) from error


def _upgrade(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    command.upgrade(config, "head")
