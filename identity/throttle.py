"""Wrong passwords and codes, counted in the database so that all processes count together (6.5.2b-2).

An attempt is counted before the password is looked at, in one statement that locks its row: a hundred at once are no
way round the limit. A row that is full refuses until the lock is over and then starts anew; what is refused does
not make the lock longer, or anyone could keep an account locked for ever.
"""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from identity.clock import Now
from twin.db import Conn, row, rows

ADDRESS = "address"
"""The subject that stands for all names tried from one address."""
STRANGE = "*"
"""The place that stands for all from which a name never signed in."""


def place_of(address: str | None) -> str:
    """What is counted as one place: an IPv4 address, or an IPv6 /64, of which a subscriber has 2^64 addresses."""
    try:
        given = ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(given, IPv6Address):
        if given.ipv4_mapped:
            return str(given.ipv4_mapped)
        return str(IPv6Address(int(given) >> 64 << 64)) + "/64"
    return str(given)


async def count_attempt(conn: Conn, subject: str, place: str, *, most: int, lock: timedelta, now: Now) -> bool:
    """Count one attempt; False: there were `most` already, the last less than `lock` ago."""
    counted = await row(
        conn,
        """INSERT INTO login_throttle AS known (subject, address, attempts, last_at)
           VALUES (%(subject)s, %(place)s, 1, %(now)s)
           ON CONFLICT (subject, address) DO UPDATE SET
             attempts = CASE WHEN known.last_at <= %(since)s THEN 1 ELSE known.attempts + 1 END,
             last_at = %(now)s
           WHERE known.attempts < %(most)s OR known.last_at <= %(since)s
           RETURNING attempts""",
        {"subject": subject, "place": place, "now": now.steady, "since": now.steady - lock, "most": most},
    )
    return counted is not None


async def count_flow(conn: Conn, subject: str, place: str, *, most: int, lock: timedelta, now: Now) -> bool:
    """Count one attempt of many names from a place, or from many places for a name; False: more than `most`, which
    drain away evenly in `lock`.

    A whole campus may stand behind one address: it mistypes all day long and is never quiet for 15 minutes, so
    there is no lock here but a bucket that leaks.
    """
    counted = await row(
        conn,
        """INSERT INTO login_throttle AS known (subject, address, attempts, last_at)
           VALUES (%(subject)s, %(place)s, 1, %(now)s)
           ON CONFLICT (subject, address) DO UPDATE SET
             attempts = greatest(0, known.attempts
                                    - extract(epoch FROM %(now)s - known.last_at) * %(rate)s) + 1,
             last_at = %(now)s
           WHERE known.attempts - extract(epoch FROM %(now)s - known.last_at) * %(rate)s + 1 <= %(most)s
           RETURNING attempts""",
        {"subject": subject, "place": place, "now": now.steady, "most": most, "rate": most / lock.total_seconds()},
    )
    return counted is not None


async def is_known(conn: Conn, account: UUID | None, place: str) -> bool:
    """Whether this account signed in from there before; None is nobody's."""
    found = await row(conn, "SELECT FROM login_place WHERE account_id = %s::uuid AND address = %s", (account, place))
    return found is not None


async def know(conn: Conn, account: UUID, place: str, now: Now) -> None:
    """Remember that an account signed in from there."""
    await conn.execute(
        """INSERT INTO login_place (account_id, address, seen_at) VALUES (%s, %s, %s)
           ON CONFLICT (account_id, address) DO UPDATE SET seen_at = excluded.seen_at""",
        (account, place, now.steady),
    )


async def take_back(conn: Conn, subject: str, place: str) -> None:
    """One attempt less: it was none, the password was right."""
    await conn.execute(
        "UPDATE login_throttle SET attempts = greatest(attempts - 1, 0) WHERE subject = %s AND address = %s",
        (subject, place),
    )


async def forget(conn: Conn, subject: str, place: str | None = None) -> int:
    """Start anew for a subject, at one place or everywhere; how many rows that were."""
    done = await conn.execute(
        "DELETE FROM login_throttle WHERE subject = %(subject)s AND (%(place)s::text IS NULL OR address = %(place)s)",
        {"subject": subject, "place": place},
    )
    return done.rowcount


async def locked_accounts(conn: Conn, accounts: list[UUID], *, most: int, lock: timedelta, now: Now) -> set[UUID]:
    """Which of these accounts are locked somewhere, by passwords or by codes."""
    found = await rows(
        conn,
        """SELECT id FROM unnest(%(ids)s::uuid[]) AS id WHERE EXISTS (
             SELECT FROM login_throttle WHERE subject IN ('account:' || id, 'factor:' || id) AND address <> '*'
               AND attempts >= %(most)s AND last_at > %(since)s)""",
        {"ids": accounts, "most": most, "since": now.steady - lock},
    )
    return {each["id"] for each in found}


async def prune(conn: Conn, *, lock: timedelta, keep: timedelta, now: Now) -> None:
    """Forget what counts no more, and places where nobody signed in for `keep`."""
    await conn.execute("DELETE FROM login_throttle WHERE last_at <= %s", (now.steady - lock,))
    await conn.execute("DELETE FROM login_place WHERE seen_at <= %s", (now.steady - keep,))
