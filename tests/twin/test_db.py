from twin.db import Conn, Database, row
from twin.places import create_building, get_building


async def test_a_test_sees_an_empty_migrated_database(conn: Conn) -> None:
    assert (await row(conn, "SELECT count(*) AS n FROM building")) == {"n": 0}
    await create_building(conn, "Tower")


async def test_two_connections_see_what_is_committed(db: Database) -> None:
    async with db.transaction() as conn:
        made = await create_building(conn, "Tower")
    async with db.transaction() as conn:
        assert await get_building(conn, "Tower") == made == await get_building(conn, str(made.id))
