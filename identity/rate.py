"""How often a caller may call (6.1.5b): the `limits` library, counting on a table that all processes share.

`limits` counts in Redis, memcached or MongoDB; PostgreSQL is what an installation has. A request must not wait for it,
so a process counts for itself and settles with the table in batches: every second, and before it has admitted more
than a tenth of a limit on its own account. What others admitted is known as of the last settlement. So P processes
together exceed a limit by at most (P - 1) x a tenth of it, and one process never does; limits below 20 are settled call
by call and kept exactly. When the database is away each process keeps the limit by itself.

Windows are the sliding window counter of `limits`: what the window before counted fades out while this one runs. They
are cut by the database's clock, so servers whose clocks differ agree, and a local clock step changes nothing.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil, floor
from typing import Final

import psycopg
import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.storage.base import SlidingWindowCounterSupport
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from twin.db import Database, rows
from twin.errors import TooMany, TwinError

log = structlog.get_logger()
SETTLE_S: Final = 1.0
PATIENCE_S: Final = 1.0  # how long a call waits for a settlement before it goes by what is known
SHARE: Final = 10  # a process admits at most limit / SHARE between two settlements


@dataclass(slots=True)
class _Count:
    """One limit of one caller in the window `number`, as this process knows it."""

    number: int  # Unix time / length
    length: int  # s
    before: int = 0  # of all processes, in the window before
    settled: int = 0  # of all processes, this one included
    sent: int = 0  # of this one, in a settlement that is under way
    pending: int = 0  # of this one, not settled yet

    @property
    def total(self) -> int:
        return self.settled + self.sent + self.pending

    def weighted(self, now: float) -> float:
        """The sliding count at `now`, s."""
        return self.before * (1 - (now / self.length) % 1) + self.total


class SharedStorage(Storage, SlidingWindowCounterSupport):
    """Storage of `limits` in PostgreSQL, shared by all processes of the installation."""

    STORAGE_SCHEME = None  # made here, not by a URL

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db
        self._counts: dict[str, _Count] = {}
        self._late: dict[tuple[str, int, int], int] = {}  # of windows that ended before they were settled
        self._settling = asyncio.Lock()
        self._offset = time.time() - time.monotonic()  # monotonic clock -> the database's

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return (psycopg.Error, TwinError)

    def now(self) -> float:
        """Unix time by the database's clock, s."""
        return time.monotonic() + self._offset

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` unless that goes over `limit` per `expiry` seconds."""
        count = self._count(key, expiry)
        if floor(count.weighted(self.now())) + amount > limit:
            return False
        number = count.number
        count.pending += amount
        if count.pending <= (limit // SHARE if limit >= 2 * SHARE else 0):
            return True
        await self._settle_now(count)
        if count.number == number and floor(count.weighted(self.now())) > limit:
            count.pending -= amount  # another process was first
            return False
        return True

    async def _settle_now(self, count: _Count) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S), self._settling:
                if count.pending:
                    await self._settle()
        except (TimeoutError, psycopg.Error, TwinError) as error:
            log.warning("rate.unsettled", error=type(error).__name__)

    async def settle(self) -> None:
        """Add what this process counted to the table, and learn what the others did."""
        async with self._settling:
            await self._settle()

    async def _settle(self) -> None:
        late, self._late = self._late, {}
        counts = [(key, count) for key, count in self._counts.items() if count.pending]
        sums = dict(late)
        for key, count in counts:
            count.sent, count.pending = count.pending, 0
            sums[key, count.number, count.length] = count.sent
        try:
            await self._exchange(sums)
        except BaseException:
            for key, count in counts:
                if self._counts.get(key) is count:
                    count.pending += count.sent
                else:  # its window has ended meanwhile
                    late[key, count.number, count.length] = late.get((key, count.number, count.length), 0) + count.sent
            for window, n in late.items():
                self._late[window] = self._late.get(window, 0) + n
            raise
        finally:
            for _, count in counts:
                count.sent = 0
        self._forget()

    async def _exchange(self, sums: dict[tuple[str, int, int], int]) -> None:
        """Write `sums` (limit, window, its length: n) and read both windows of each limit back."""
        keys = sorted(sums)  # in one order: several processes never deadlock
        columns = {
            "names": [key for key, _, _ in keys],
            "numbers": [number for _, number, _ in keys],
            "n": [sums[key] for key in keys],
            "ends": [datetime.fromtimestamp((number + 2) * length, UTC) for _, number, length in keys],
        }
        before = time.monotonic()
        async with self._db.transaction() as conn:
            # A crash may lose these counts; nobody waits for the disk.
            await conn.execute("SET LOCAL synchronous_commit = off")
            found = await rows(
                conn,
                """WITH given AS (SELECT * FROM unnest(%(names)s::text[], %(numbers)s::bigint[], %(n)s::bigint[],
                                    %(ends)s::timestamptz[]) AS g (name, number, n, expires_at)),
                   added AS (INSERT INTO rate_window AS w (name, number, n, expires_at)
                     SELECT name, number, n, expires_at FROM given ORDER BY name, number
                     ON CONFLICT (name, number) DO UPDATE SET n = w.n + excluded.n RETURNING name, number, n)
                   SELECT name, number, n, NULL::float8 AS clock FROM added
                   UNION ALL SELECT w.name, w.number, w.n, NULL FROM rate_window w JOIN given g
                     ON g.name = w.name AND w.number = g.number - 1
                   UNION ALL SELECT NULL, NULL, NULL, extract(epoch FROM clock_timestamp())""",
                columns,
            )
        after = time.monotonic()
        for each in found:
            if each["name"] is None:
                self._offset = each["clock"] - (before + after) / 2
            else:
                self._learn(each["name"], each["number"], each["n"])

    def _learn(self, key: str, number: int, n: int) -> None:
        count = self._counts.get(key)
        if count is None:
            return
        if count.number == number:
            count.settled, count.sent = n, 0
        elif count.number == number + 1:
            count.before = max(count.before, n)

    def _count(self, key: str, length: int) -> _Count:
        """The count of the window that runs now; one that has ended becomes the one before."""
        number = int(self.now() // length)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(number, length)
        elif number > count.number:
            if count.pending:
                self._late[key, count.number, length] = count.pending
            # What is under way is written to its own window; here it counts as the past.
            before = count.total if number == count.number + 1 else 0
            count = self._counts[key] = _Count(number, length, before)
        return count

    def _forget(self) -> None:
        """Drop what no longer counts for anything."""
        now = self.now()
        gone = [key for key, count in self._counts.items() if now > (count.number + 2) * count.length]
        for key in gone:
            if not self._counts[key].pending:
                del self._counts[key]

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Count and seconds left of the window before (as it fades) and of this one."""
        count, left = self._count(key, expiry), expiry - self.now() % expiry
        return count.before, left if count.before else 0.0, count.total, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002  the interface has it
        """Forget a limit of a caller, for all processes."""
        await self.clear(key)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in a fixed window; return the count as known."""
        count = self._count(key, expiry)
        count.pending += amount
        await self._settle_now(count)
        return count.total

    async def get(self, key: str) -> int:
        """The count of the present window as known; 0 for none."""
        found = self._counts.get(key)
        return self._count(key, found.length).total if found else 0

    async def get_expiry(self, key: str) -> float:
        """When the present window ends, Unix time."""
        found = self._counts.get(key)
        return (self._count(key, found.length).number + 1) * found.length if found else self.now()

    async def check(self) -> bool:
        """Whether the table can be reached."""
        async with self._db.connection() as conn:
            return bool(await rows(conn, "SELECT 1 AS one"))

    async def reset(self) -> int | None:
        """Forget everything, for all processes."""
        async with self._settling, self._db.connection() as conn:
            self._counts.clear()
            self._late.clear()
            return (await conn.execute("DELETE FROM rate_window")).rowcount

    async def clear(self, key: str) -> None:
        """Forget one limit of one caller, for all processes."""
        async with self._settling, self._db.connection() as conn:
            self._counts.pop(key, None)
            await conn.execute("DELETE FROM rate_window WHERE name = %s", (key,))

    def standing(self, key: str, limit: int, length: int) -> tuple[int, int]:
        """What is left, and after how many seconds the window ends or, when nothing is left, a call is free again."""
        count, now = self._count(key, length), self.now()
        left = length - now % length
        over = count.weighted(now) + 1 - limit
        if over > 0 and count.before and over * length / count.before < left:
            return 0, ceil(over * length / count.before)
        return max(0, limit - floor(count.weighted(now))), ceil(left)

    async def prune(self) -> None:
        """Delete windows that have faded out."""
        async with self._db.connection() as conn:
            await conn.execute("DELETE FROM rate_window WHERE expires_at < now()")


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit: `name` as the RateLimit headers call it, calls per minute."""

    name: str
    per_minute: int

    @property
    def item(self) -> RateLimitItem:
        return RateLimitItemPerMinute(self.per_minute, namespace=self.name)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with a limit: what is left, and after how many seconds there is more."""

    quota: Quota
    admitted: bool
    remaining: int
    reset: int

    @property
    def policy(self) -> str:
        """An item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10)."""
        return f'"{self.quota.name}";q={self.quota.per_minute};w=60'

    @property
    def state(self) -> str:
        """An item of RateLimit."""
        return f'"{self.quota.name}";r={self.remaining};t={self.reset}'

    def refusal(self) -> TooMany:
        """The error of a call that was not admitted."""
        limit, quota = self.quota.per_minute, self.quota.name
        return TooMany("rate.exceeded", retry_after=max(1, self.reset), limit=limit, quota=quota)


class Rates:
    """Spends quotas of callers."""

    def __init__(self, db: Database) -> None:
        self.storage = SharedStorage(db)
        self._limiter = SlidingWindowCounterRateLimiter(self.storage)
        self._items: dict[Quota, RateLimitItem] = {}

    async def spend(self, quota: Quota, who: str) -> Standing:
        """Count a call of `who`, unless the quota is used up."""
        item = self._item(quota)
        admitted = await self._limiter.hit(item, who)
        return self._standing(quota, item, who, admitted=admitted)

    async def look(self, quota: Quota, who: str) -> Standing:
        """Whether a call would be admitted; counts nothing."""
        item = self._item(quota)
        admitted = await self._limiter.test(item, who)
        return self._standing(quota, item, who, admitted=admitted)

    def _item(self, quota: Quota) -> RateLimitItem:
        item = self._items.get(quota)
        if item is None:
            item = self._items[quota] = quota.item
        return item

    def _standing(self, quota: Quota, item: RateLimitItem, who: str, *, admitted: bool) -> Standing:
        left, reset = self.storage.standing(item.key_for(who), item.amount, item.get_expiry())
        return Standing(quota, admitted, left, reset)


def network_of(address: str | None) -> str:
    """Who counts as one address: an IPv4 address, or the /64 that one IPv6 line gets."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))
    return str(parsed)
