"""What a building uses, beside the year before and its quota (8.4.8b-1, 8.4.8c): the numbers of the owner's page.

Meters stand behind each other: what the building uses is the sum of those that no other meter feeds, and a storey's
share comes from the meters on it that feed no other. `properties.meter` of a point (`main`, `sub`) says otherwise.
"""

import asyncio
from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from api.quotas import Quota, quotas_of
from spatial.flow_rows import Flows
from spatial.network import Networks
from telemetry.consumption import MEDIA, UNITS, Medium, Meter, Period, Used, list_meters, read_used, together
from telemetry.history import zone_of
from twin.db import Conn

NEAR: Final = 0.95  # of a quota: so much expected is close to it
LEAST_SHARE: Final = 0.1  # of a month that must have gone by before its end is guessed from it
MOST_METERS: Final = 2_000  # of storeys

State = Literal["within", "near", "over"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A period so far, the same part of it a year before (None: unknown), and the whole period's quota (None: none).

    `expected`: at the period's end if it goes on as it has; None: too early to say. `state` is about the quota: `over`
    where it is exceeded or will be.
    """

    start: datetime
    amount: float | None
    complete: bool
    since: datetime | None
    before: float | None
    quota: float | None
    expected: float | None
    state: State | None


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the last twelve, and a year before it. The last one is not over yet."""

    year: int
    month: int
    amount: float | None
    complete: bool
    before: float | None
    quota: float | None


@dataclass(frozen=True, slots=True)
class StoreyUse:
    """What the meters on a storey counted this month."""

    storey_id: UUID
    amount: float


@dataclass(frozen=True, slots=True)
class Use:
    """One medium. `meters`: how many are added up; `measured`: `supply` where others stand behind them."""

    medium: Medium
    unit: str  # QUDT code
    meters: int
    measured: Literal["supply", "meters"]
    month: Compared
    year: Compared
    months: list[Month]
    storeys: list[StoreyUse]


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a building uses; media without a meter are left out."""

    building_id: UUID
    at: datetime
    time_zone: str
    media: list[Use]


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The periods that are asked for, on the site's clock. `before` in each pair: a year earlier."""

    zone: ZoneInfo
    now: datetime

    def month(self, year: int, month: int) -> Period:
        after = (year + month // 12, month % 12 + 1)
        return Period(self._at(year, month), min(self._at(*after), self.now))

    def months(self) -> list[tuple[int, int]]:
        """The last twelve, this one last."""
        local = self.now.astimezone(self.zone)
        count = local.year * 12 + local.month - 1
        return [(each // 12, each % 12 + 1) for each in range(count - 11, count + 1)]

    def a_year_ago(self) -> datetime:
        """The same moment a year ago; of 29 February the 28th."""
        local = self.now.astimezone(self.zone)
        day = min(local.day, monthrange(local.year - 1, local.month)[1])
        return local.replace(year=local.year - 1, day=day).astimezone(UTC)

    def _at(self, year: int, month: int) -> datetime:
        return datetime(year, month, 1, tzinfo=self.zone).astimezone(UTC)

    def periods(self) -> list[Period]:
        """Month and year so far, both a year ago, the twelve months, and those a year before."""
        local = self.now.astimezone(self.zone)
        month, year = self._at(local.year, local.month), self._at(local.year, 1)
        ago = self.a_year_ago()
        so_far = [Period(month, self.now), Period(year, self.now)]
        so_far += [Period(self._at(local.year - 1, local.month), ago), Period(self._at(local.year - 1, 1), ago)]
        months = self.months()
        return so_far + [self.month(*each) for each in months] + [self.month(y - 1, m) for y, m in months]

    def ends(self) -> tuple[datetime, datetime]:
        """When this month and this year are over."""
        local = self.now.astimezone(self.zone)
        return self._at(local.year + local.month // 12, local.month % 12 + 1), self._at(local.year + 1, 1)


async def consumption(conn: Conn, networks: Networks, building: UUID, now: datetime) -> Consumption:
    """What a building uses, as its meters that the caller sees tell."""
    zone = await zone_of(conn, building)
    calendar = _Calendar(ZoneInfo(zone), now)
    meters = await list_meters(conn, building)
    flows = (await networks.of(building)).flows if len(meters) > 1 else None
    quotas = {quota.medium: quota for quota in await quotas_of(conn, building, now.astimezone(calendar.zone).year)}
    last = await quotas_of(conn, building, now.astimezone(calendar.zone).year - 1)
    before = {quota.medium: quota for quota in last}
    media = []
    for medium in MEDIA:
        all_of_it = [meter for meter in meters if meter.medium == medium]
        if all_of_it:
            limits = _Quotas(quotas.get(medium), before.get(medium), calendar.now.astimezone(calendar.zone).year)
            media.append(await _use(conn, calendar, medium, all_of_it, flows, limits))
    return Consumption(building, now, zone, media)


@dataclass(frozen=True, slots=True)
class _Quotas:
    """The quotas of a medium: of this year, and of the one before."""

    this: Quota | None
    last: Quota | None
    year: int

    def month(self, year: int, month: int) -> float | None:
        quota = self.this if year == self.year else self.last
        return quota.months[month - 1] if quota else None

    def whole_year(self) -> float | None:
        months = self.this.months if self.this else []
        return sum(each for each in months if each is not None) if months and None not in months else None


async def _use(
    conn: Conn, calendar: _Calendar, medium: Medium, meters: Sequence[Meter], flows: Flows | None, quotas: _Quotas
) -> Use:
    mains, leaves = await asyncio.to_thread(mains_and_leaves, meters, flows)
    periods = calendar.periods()
    used = [together(each, mains) for each in await read_used(conn, mains, periods)]
    month, year, month_ago, year_ago = used[:4]
    months = calendar.months()
    ends = calendar.ends()
    here = calendar.now.astimezone(calendar.zone)
    return Use(
        medium,
        UNITS[medium],
        len(mains),
        "supply" if len(mains) < len(meters) else "meters",
        _compared(periods[0], ends[0], month, month_ago, quotas.month(here.year, here.month)),
        _compared(periods[1], ends[1], year, year_ago, quotas.whole_year()),
        [
            Month(y, m, this.amount, this.complete, old.amount if old.complete else None, quotas.month(y, m))
            for (y, m), this, old in zip(months, used[4:16], used[16:28], strict=True)
        ],
        await by_storey(conn, leaves, periods[0]),
    )


def _compared(period: Period, end: datetime, used: Used, before: Used, quota: float | None) -> Compared:
    expected, state = None, None
    passed = (period.end - period.start) / (end - period.start)
    if used.amount is not None and used.complete and passed >= LEAST_SHARE:
        expected = used.amount / passed
    if used.amount is not None and quota is not None:
        most = max(used.amount, expected or 0.0)
        state = state_of(most, quota)
    return Compared(
        period.start,
        used.amount,
        used.complete,
        used.since,
        before.amount if before.complete else None,
        quota,
        expected,
        state,
    )


def state_of(amount: float, quota: float) -> State:
    """How an amount is beside its quota.

    >>> state_of(96, 100)
    'near'
    """
    return "over" if amount > quota else "near" if amount > NEAR * quota else "within"


def mains_and_leaves(meters: Sequence[Meter], flows: Flows | None) -> tuple[list[Meter], list[Meter]]:
    """The meters that no other of them feeds, and those that feed no other.

    Where people have said which are the mains, these are.
    """
    said = [meter for meter in meters if meter.said == "main"]
    others = [meter for meter in meters if meter.said != "main"]
    numbers: dict[int, list[Meter]] = defaultdict(list)
    for meter in meters:
        number = flows.number(meter.element_id) if flows and meter.element_id else None
        if number is not None:
            numbers[number].append(meter)
    fed = {number: _fed(flows, number, numbers) for number in numbers} if flows else {}
    behind: set[int] = {meter.handle for meter in meters if meter.said == "sub"}
    feeding: set[int] = set()
    for number, others_fed in fed.items():
        # Of two that feed each other, in a circuit, neither stands behind the other.
        one_way = {other for other in others_fed if number not in fed[other]}
        if one_way:
            feeding |= {meter.handle for meter in numbers[number]}
            behind |= {meter.handle for other in one_way for meter in numbers[other]}
    mains = said or [meter for meter in others if meter.handle not in behind]
    leaves = [meter for meter in others if meter.handle not in feeding]
    return mains or list(meters), leaves or list(meters)


def _fed(flows: Flows, number: int, wanted: Collection[int]) -> set[int]:
    return {each.element for each in flows.graph.downstream(number) if each.element in wanted}


async def by_storey(conn: Conn, leaves: Sequence[Meter], period: Period) -> list[StoreyUse]:
    """What the meters on each storey counted in a period; of two on one supply those that feed no other."""
    placed = [meter for meter in leaves if meter.storey_id is not None][:MOST_METERS]
    used = (await read_used(conn, placed, [period]))[0]
    amounts: dict[UUID, float] = defaultdict(float)
    for meter in placed:
        told = used.get(meter.handle)
        if told is not None and told.amount is not None and meter.storey_id is not None:
            amounts[meter.storey_id] += told.amount
    return [StoreyUse(storey, amount) for storey, amount in sorted(amounts.items())]
