"""Statistics of history: daily profiles, correlation, forecasts and what was to be expected (clause 6.1.4)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query, Request

from api.clients import expensive
from api.route import Router, Tx, allow, no_transaction, transaction_of, twin_of
from api.times import End, Start, time_of
from telemetry import forecasting, points, profiles
from telemetry.aggregate import Span
from telemetry.buckets import auto_bucket, parse_bucket
from telemetry.forecasting import LONGEST, STEPS, ForecastError
from telemetry.hourly import HOUR, Hourly, must_have_numbers, read_hourly, site_zone
from telemetry.points import Point
from telemetry.profiles import By, Correlation, Profile
from twin.db import Conn
from twin.errors import Invalid

router = Router(tags=["telemetry"])

PROFILE_DAYS: Final = 28
EXPECTED_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class ForecastItem:
    """An hour: what is expected, and the interval that should hold the truth nine times out of ten."""

    ts: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next hours. `error` says how far such forecasts were off on the last days, which the model had not seen."""

    items: list[ForecastItem]
    next: None
    unit: str | None
    model: str  # structural | seasonal_naive (which was closer on the days held back)
    seasons: list[int]  # h
    trained_from: datetime
    trained_to: datetime
    error: ForecastError


@dataclass(frozen=True, slots=True)
class AnomalyItem:
    """An hour: what it was, what was to be expected from the days before; `score`: how many usual errors it is off."""

    ts: datetime
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Anomalies:
    """The hours of a range, each beside what was to be expected of it."""

    items: list[AnomalyItem]
    next: None
    unit: str | None
    model: str
    seasons: list[int]
    error: ForecastError


@router.get("/points/{point}/profile")
@allow("reading.read")
async def get_profile(
    tx: Tx,
    point: str,
    start: Start = None,
    end: End = None,
    by: By = "day",
    slot: Annotated[str, Query(description="width of a slot, 5m to 6h")] = "30m",
) -> Profile:
    """The daily profile of a point on the site's clock, of the last four weeks unless told."""
    found = await points.get_point(tx, point)
    now = datetime.now(UTC)
    until = time_of(end, "to") or now
    since = time_of(start, "from") or until - timedelta(days=PROFILE_DAYS)
    span = Span(since, until, parse_bucket(slot), await site_zone(tx, found), now)
    return await profiles.read_profile(tx, found, span, by)


@router.get("/readings/correlation")
@allow("reading.read")
@expensive
async def get_correlation(
    tx: Tx,
    point: Annotated[list[str], Query(description="keys or ids, two at least", min_length=1)],
    start: Start = None,
    end: End = None,
    bucket: str = "auto",
    lags: Annotated[int, Query(description="buckets", ge=0, le=profiles.MAX_LAGS)] = 12,
) -> Correlation:
    """How points go together, at the same time and some buckets apart; the last week unless told."""
    found = [await points.get_point(tx, each) for each in dict.fromkeys(point)]
    now = datetime.now(UTC)
    until = time_of(end, "to") or now
    since = time_of(start, "from") or until - timedelta(days=7)
    width = auto_bucket(since, until) if bucket == "auto" else parse_bucket(bucket)
    span = Span(since, until, width, await site_zone(tx, found[0]), now)
    return await profiles.read_correlation(tx, found, span, lags)


@router.get("/points/{point}/forecast")
@allow("reading.read")
@no_transaction
@expensive
async def get_forecast(
    request: Request,
    point: str,
    hours: Annotated[int, Query(ge=1, le=STEPS)] = 24,
    at: Annotated[str | None, Query(description="as of which moment; now unless told")] = None,
) -> Forecast:
    """The next hours of a point from its last eight weeks, with an interval and the error on days held back."""
    now = min(time_of(at, "at") or datetime.now(UTC), datetime.now(UTC))
    async with transaction_of(request) as conn:
        found, series = await _hourly(conn, point, now - LONGEST * HOUR, now, now)
    key = ("forecast", found.handle, hours, series.start, len(series.values), series.values.tobytes())
    told = await twin_of(request).statistics.run(key, forecasting.forecast, series.values.tolist(), hours)
    ahead = series.moments(len(series.values), hours)
    items = [
        ForecastItem(ts, *_within(found, told.value[i], told.low[i], told.high[i]))
        for i, moments in enumerate(ahead)
        for ts in moments
    ]
    return Forecast(
        items,
        None,
        found.unit,
        told.model,
        told.seasons,
        _first(series, 0),
        _first(series, len(series.values)),
        told.error,
    )


@router.get("/points/{point}/anomalies")
@allow("reading.read")
@no_transaction
@expensive
async def list_anomalies(request: Request, point: str, start: Start = None, end: End = None) -> Anomalies:
    """Each hour of [from, to) beside what was to be expected of it from the days before; the last week unless told."""
    now = datetime.now(UTC)
    until = min(time_of(end, "to") or now, now)
    since = time_of(start, "from") or until - timedelta(days=7)
    if until <= since:
        raise Invalid("history.range", where="to")
    if until - since > timedelta(days=EXPECTED_DAYS):
        raise Invalid("statistics.range", where="from", days=EXPECTED_DAYS)
    async with transaction_of(request) as conn:
        found, series = await _hourly(conn, point, since - LONGEST * HOUR, until, now)
    first = int((since.astimezone(series.zone).replace(tzinfo=None) - series.start) / HOUR)
    values = series.values.tolist()
    key = ("anomalies", found.handle, series.start, first, series.values.tobytes())
    told = await twin_of(request).statistics.run(key, forecasting.expect, values, first)
    items = [
        AnomalyItem(ts, _plain(values[first + i]), told.value[i], told.low[i], told.high[i], told.score[i])
        for i, moments in enumerate(series.moments(first, len(told.value)))
        for ts in moments
    ]
    return Anomalies(items, None, found.unit, told.model, told.seasons, told.error)


async def _hourly(conn: Conn, ref: str, start: datetime, end: datetime, now: datetime) -> tuple[Point, Hourly]:
    found = await points.get_point(conn, ref)
    must_have_numbers(found)
    return found, await read_hourly(conn, found, start, end, now)


def _first(series: Hourly, at: int) -> datetime:
    local = series.start + at * HOUR
    return local.replace(tzinfo=series.zone).astimezone(UTC)


def _plain(value: float) -> float | None:
    return value if value == value else None


def _within(point: Point, *values: float) -> tuple[float, ...]:
    """Values as far as the point can have them: no share above 1 of a bool, nothing outside its range."""
    low = 0.0 if point.kind == "bool" else point.min_value
    high = 1.0 if point.kind == "bool" else point.max_value
    bounded = [value if low is None else max(value, low) for value in values]
    return tuple(value if high is None else min(value, high) for value in bounded)
