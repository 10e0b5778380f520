import threading
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Cluster
from twin import migrations
from twin.errors import Conflict

TABLES = """SELECT table_name, column_name, data_type FROM information_schema.columns
            WHERE table_schema = 'public' ORDER BY 1, 2"""


@pytest.fixture
def empty_url(cluster: Cluster) -> str:
    name = "empty_migrations"
    cluster.execute("DROP DATABASE IF EXISTS {}", name)
    cluster.execute("CREATE DATABASE {}", name)
    return cluster.url(name)


def columns(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(TABLES).fetchall()


def test_several_servers_that_start_at_once_migrate_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            migrations.migrate(empty_url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not failures
    with psycopg.connect(empty_url) as conn:
        assert migrations.current_version(conn) == migrations.known_versions()[-1]


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE work_order (oops int)")  # the fifth version stumbles over it
        with pytest.raises(Exception, match="work_order"):
            migrations.migrate(empty_url)
        assert {table for table, *_ in columns(empty_url)} == {"work_order"}


def test_a_database_of_a_newer_program_is_left_alone(cluster: Cluster, empty_url: str) -> None:
    migrations.migrate(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="upgrade this installation"):
        migrations.migrate(empty_url)


def test_every_version_has_its_sql_and_they_follow_each_other() -> None:
    folder = Path(migrations.__file__).parent
    scripts = sorted(path.stem for path in (folder / "versions").glob("0*.py"))
    assert scripts == sorted(path.stem for path in (folder / "sql").glob("*.sql"))
    assert [name[:4] for name in scripts] == [f"{n:04}" for n in range(1, len(scripts) + 1)]


def test_the_job_queues_schema_is_that_of_the_installed_release() -> None:
    """Fails after an upgrade of procrastinate: add its new migrations as a version, then change this test's rule."""
    ours = (Path(migrations.__file__).parent / "sql" / "0006_job_queue.sql").read_text("utf-8")
    theirs = (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")
    assert ours.split("\n", 1)[1] == theirs
