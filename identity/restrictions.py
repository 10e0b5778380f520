"""When and from where an account may be signed in (6.5.2b-2): checked at sign-in and with every request after it.

Civil time by its meaning, so the wall clock counts here, not the steady one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from zoneinfo import ZoneInfo

from twin.errors import Denied, Invalid

MOST_WINDOWS = 50
MOST_NETWORKS = 50
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of the week. One that ends before it starts goes on past midnight into the next day."""

    days: list[int]  # ISO: 1 Monday … 7 Sunday; the day on which it starts
    start: str  # HH:MM, from then on
    end: str  # HH:MM, up to then; 24:00 is the end of the day


@dataclass(frozen=True, slots=True)
class LoginHours:
    """The weekly windows in which an account may be signed in, in the local time of `time_zone` (IANA)."""

    time_zone: str
    windows: list[Window]


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Until when, in which hours and from which networks; None: no restriction."""

    valid_until: datetime | None
    login_hours: LoginHours | None
    login_networks: list[str] | None

    def check(self, now: datetime, address: str | None) -> None:
        """Raise Denied when the account may not be used at `now` (wall time) or from `address`."""
        if self.valid_until is not None and now >= self.valid_until:
            raise Denied("login.no_longer_valid", until=self.valid_until.isoformat())
        if self.login_hours is not None and not is_within(self.login_hours, now):
            raise Denied("login.not_now", hours=text_of_hours(self.login_hours))
        if self.login_networks is not None and not is_inside(self.login_networks, address):
            raise Denied("login.not_here", address=address or "?")


def is_within(hours: LoginHours, now: datetime) -> bool:
    """Whether `now` falls into one of the windows; each is half-open."""
    local = now.astimezone(ZoneInfo(hours.time_zone))
    today, minute = local.isoweekday(), local.hour * 60 + local.minute
    yesterday = (local - _DAY).isoweekday()
    for window in hours.windows:
        start, end = _minutes(window.start), _minutes(window.end)
        if start < end:
            if today in window.days and start <= minute < end:
                return True
        elif (today in window.days and minute >= start) or (yesterday in window.days and minute < end):
            return True
    return False


def is_inside(networks: Sequence[str], address: str | None) -> bool:
    """Whether an address lies in one of the networks; what is no address does not."""
    try:
        given = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(given, IPv6Address) and given.ipv4_mapped:
        given = given.ipv4_mapped
    return any(given in ip_network(network) for network in networks)


def check_hours(hours: LoginHours) -> LoginHours:
    """Raise Invalid for a time zone, a day or a time that does not exist, and for no window at all."""
    try:
        ZoneInfo(hours.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("account.time_zone", where="login_hours.time_zone", zone=hours.time_zone[:60]) from error
    if not 1 <= len(hours.windows) <= MOST_WINDOWS:
        raise Invalid("account.windows", where="login_hours.windows", limit=MOST_WINDOWS)
    for number, window in enumerate(hours.windows):
        where = f"login_hours.windows.{number}"
        if not window.days or not set(window.days) <= set(range(1, 8)):
            raise Invalid("account.window_days", where=where)
        try:
            start, end = _minutes(window.start), _minutes(window.end)
        except ValueError as error:
            raise Invalid("account.window_time", where=where) from error
        if start == end or start == 24 * 60:
            raise Invalid("account.window_time", where=where)
    return hours


def check_networks(networks: Sequence[str]) -> list[str]:
    """The networks in their normal form; a bare address is a network of one. Raises Invalid."""
    if not 1 <= len(networks) <= MOST_NETWORKS:
        raise Invalid("account.networks", where="login_networks", limit=MOST_NETWORKS)
    return [str(_network(network, f"login_networks.{number}")) for number, network in enumerate(networks)]


def hours_of(stored: Any) -> LoginHours | None:
    """What the database keeps as JSON, made into windows."""
    if stored is None:
        return None
    return LoginHours(stored["time_zone"], [Window(**window) for window in stored["windows"]])


def text_of_hours(hours: LoginHours) -> str:
    """`1-5 08:00-18:00 (Asia/Shanghai)`: days as digits, readable in every language."""
    windows = ", ".join(f"{_days(window.days)} {window.start}-{window.end}" for window in hours.windows)
    return f"{windows} ({hours.time_zone})"


def _days(days: Sequence[int]) -> str:
    ordered = sorted(set(days))
    if len(ordered) > 1 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}-{ordered[-1]}"
    return "+".join(map(str, ordered))


def _minutes(text: str) -> int:
    if text == "24:00":
        return 24 * 60
    at = time.fromisoformat(text) if len(text) == 5 else None
    if at is None:
        raise ValueError(text)
    return at.hour * 60 + at.minute


def _network(text: str, where: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Invalid("account.network", where=where, network=text[:60]) from error
