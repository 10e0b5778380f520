"""A clock that no one can set: what idle limits, absolute limits, lock-outs and tickets are measured with.

The wall clock may be stepped while the server runs: by NTP after a long outage, by hand, by a virtual machine's
host. A session must neither end nor live longer by that. The kernel's boot-time clock is never stepped and goes
on while the machine sleeps, but it starts at zero with every boot, and sessions live in the database, through
restarts and in several processes. So the first process after a boot writes one row: this boot's identity and the
steady time at which its boot-time clock stood at zero, taken from the wall clock that once. From then on

    steady time = origin + boot-time clock

for every process on the host, and whatever is done to the wall clock changes nothing. Steady times look like
UTC timestamps and are a few steps off from them at most; `SteadyClock.shown` gives the wall's reading for people.

- After a reboot the wall clock is believed again, but never so far back that a session becomes younger: the
  origin is not before the newest thing the database has seen.
- Several hosts on one database agree as well as their wall clocks did when each booted (NTP: milliseconds).
- Without a boot identity (macOS, Windows) each process stands for a boot of its own; restarts then read the wall.
- What is civil time by its meaning (valid until a date, office hours) is compared with the wall clock.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from twin.db import Conn, row

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE = Path("/proc/self/ns/time")


@dataclass(frozen=True, slots=True)
class Now:
    """One instant on both clocks."""

    steady: datetime
    wall: datetime

    @classmethod
    def at(cls, both: datetime) -> "Now":
        """The instant at which both clocks show the same."""
        return cls(both, both)


def boot_seconds() -> float:
    """Seconds since this machine was started, sleep included."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def boot_identity() -> str:
    """Names what `boot_seconds` counts from: the same for all processes that count from the same."""
    with suppress(OSError):
        # A container may have a boot-time clock of its own, which is what the namespace tells.
        namespace = str(_TIME_NAMESPACE.readlink()) if _TIME_NAMESPACE.is_symlink() else ""
        return f"{_BOOT_ID.read_text('ascii').strip()} {namespace}".strip()
    return f"process {uuid4()}"


def wall_clock() -> datetime:
    """What the wall clock shows, UTC."""
    return datetime.now(UTC)


class SteadyClock:
    """Tells the time twice; `ticks` are seconds that never step, `wall` may do what it likes."""

    def __init__(self, origin: datetime, ticks: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self._origin, self._ticks, self._wall = origin, ticks, wall

    def now(self) -> Now:
        """This instant on both clocks."""
        return Now(self._origin + timedelta(seconds=self._ticks()), self._wall())

    def shown(self, steady: datetime) -> datetime:
        """What the wall clock would show at a steady time, as it is set now."""
        now = self.now()
        return steady + (now.wall - now.steady)


async def open_clock(
    conn: Conn,
    *,
    boot: str | None = None,
    ticks: Callable[[], float] = boot_seconds,
    wall: Callable[[], datetime] = wall_clock,
) -> SteadyClock:
    """The clock of this boot; whoever comes first after a boot sets it."""
    boot = boot or boot_identity()
    await conn.execute(
        """INSERT INTO steady_clock (boot, origin)
           SELECT %(boot)s, greatest(%(wall)s, (SELECT max(seen_at) FROM session),
                                     (SELECT max(last_at) FROM login_throttle)) - %(ticks)s
           ON CONFLICT DO NOTHING""",
        {"boot": boot, "wall": wall(), "ticks": timedelta(seconds=ticks())},
    )
    found = await row(conn, "SELECT origin FROM steady_clock WHERE boot = %s", (boot,))
    assert found is not None
    return SteadyClock(found["origin"], ticks, wall)
