"""Connections that are kept for limited callers: nothing of one caller's sight is left for the next one."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from identity.access import limited, limits_of
from identity.actor import Actor, Grant, Place
from identity.permissions import PERMISSIONS
from tests.access import world
from twin import db as twin_db
from twin.blobs import BlobStore
from twin.db import Conn, Database, LimitedConn, row, rows
from twin.places import create_building

READ = frozenset(name for name, each in PERMISSIONS.items() if each.scoped and name.endswith(".read"))


def reader(name: str, *buildings: UUID) -> Actor:
    """Who may read these buildings."""
    places = [Place("building", each, frozenset({each})) for each in buildings]
    grants = tuple(Grant("reader", READ, place) for place in places)
    return Actor(f"account:{name}", permissions=READ if grants else frozenset(), grants=grants)


async def seen(db: Database, actor: Actor) -> set[str]:
    async with limited(db, actor, "building.read") as conn:
        return {each["name"] for each in await rows(conn, "SELECT name FROM building")}


@pytest.mark.clause("9.1.3-1")
async def test_connections_change_hands_and_sight_with_them(database_url: str) -> None:
    """Two connections, four callers, each of whom sees something else, at random and at once."""
    async with twin_db.connect(database_url, 2) as db:
        async with db.transaction() as conn:
            made = {name: (await create_building(conn, name)).id for name in ("A", "B", "C")}
        callers = {
            frozenset(names): reader("".join(names) or "nobody", *(made[each] for each in names))
            for names in ((), ("A",), ("B",), ("A", "C"))
        }
        for _ in range(10):
            found = await asyncio.gather(*(seen(db, actor) for actor in callers.values()))
            assert found == [set(names) for names in callers]


async def test_a_connection_that_could_not_be_told_answers_nothing_and_is_told_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with twin_db.connect(database_url, 1) as db:
        async with db.transaction() as conn:
            a, b = [(await create_building(conn, name)).id for name in ("A", "B")]
        assert await seen(db, reader("li", a)) == {"A"}
        tell = twin_db.tell

        async def half(conn: Conn, settings: Mapping[str, str], *, local: bool) -> None:
            """Some of it arrives, then the connection fails."""
            part = {name: value for name, value in settings.items() if name.startswith("twin.b")}
            await tell(conn, part, local=local)
            raise psycopg.OperationalError("lost")

        monkeypatch.setattr(twin_db, "tell", half)
        with pytest.raises(psycopg.OperationalError):
            await seen(db, reader("wang", b))
        monkeypatch.undo()
        assert await seen(db, reader("nobody")) == set()
        assert await seen(db, reader("li", a)) == {"A"}


async def test_what_rolls_back_leaves_the_connection_limited(database_url: str) -> None:
    async with twin_db.connect(database_url, 1) as db:
        async with db.transaction() as conn:
            a = (await create_building(conn, "A")).id
            await create_building(conn, "B")
        li = reader("li", a)
        with pytest.raises(psycopg.errors.UndefinedTable):
            async with limited(db, li, "building.read") as conn:
                await conn.execute("SELECT FROM nothing_of_the_kind")
        assert await seen(db, li) == {"A"}
        async with limited(db, li, "building.read") as conn:
            assert await row(conn, "SELECT current_user AS role") == {"role": twin_db.LIMITED_ROLE}
        async with db.transaction() as conn:  # and the other connections are not
            assert await row(conn, "SELECT count(*) AS n FROM building") == {"n": 2}


async def test_behind_a_pooler_of_transactions_the_limits_are_told_within_each(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the next transaction may be somebody else's session: nothing may be left in it."""

    class Foreign:
        backend_pid = -1

    monkeypatch.setattr(LimitedConn, "info", property(lambda _self: Foreign()))
    async with twin_db.connect(database_url, 1) as db:
        async with db.transaction() as conn:
            a = (await create_building(conn, "A")).id
            await create_building(conn, "B")
        assert await seen(db, reader("li", a)) == {"A"}
        async with db._limited.connection() as raw:
            left = await row(raw, "SELECT current_setting('role') AS role, current_setting('twin.actor', true) AS who")
        assert left == {"role": "none", "who": ""}
        assert await seen(db, reader("nobody")) == set()


async def test_plans_of_limited_callers_are_made_once(db: Database, tmp_path: Path) -> None:
    """What depends on the role is planned anew whenever the role of its connection changes: it never does."""
    async with db.transaction() as conn:
        building = await world.build(conn, BlobStore(tmp_path), "Tower")
    li = reader("li", building.id)
    settings = limits_of(li, "point.read")
    assert settings is not None
    async with db.limited_transaction(settings) as conn:
        for _ in range(12):
            await conn.execute("SELECT name FROM point WHERE id = %s", (uuid4(),))
        [prepared] = await rows(
            conn, "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%FROM point%'"
        )
    assert prepared["generic_plans"] >= 1
