"""From the body of `POST /readings` to columns. A clean body takes the fast way; else each reading is looked at.

One reading that cannot be read never costs the others: it is rejected with its index, a code and a text.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.points import QUALITIES, Quality, Value
from twin.errors import Invalid, Language, TooLarge, text_of

QUALITY_CODES: Final[dict[str, int]] = {name: code for code, name in enumerate(QUALITIES)}
EARLIEST_US: Final = 0  # 1970; a clock that never was set is kept, and shows


@dataclass(frozen=True, slots=True)
class RawReading:
    """A reading as a source says it. `ts` must be aware."""

    point: str  # key
    ts: datetime
    value: Value
    quality: Quality = "good"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reading that was not stored, and why. `index`: its place in the submission."""

    index: int
    code: str
    message: str


@dataclass(slots=True)
class Refusal:
    """A rejected reading with all that quarantine keeps of it."""

    index: int
    code: str
    params: dict[str, Any]
    point: str
    ts: str | None
    value: object
    quality: str | None

    def shown(self, lang: Language) -> Rejected:
        return Rejected(self.index, self.code, text_of(self.code, lang, self.params))


@dataclass(slots=True)
class Columns:
    """Readings that could be read, as columns of the same length n."""

    index: NDArray[np.int64]  # (n,) place in the submission
    keys: list[str]
    ts: NDArray[np.int64]  # (n,) µs since 1970 UTC
    values: list[Value]
    quality: NDArray[np.uint8]  # (n,)
    refused: list[Refusal] = field(default_factory=list)


class _Reading(msgspec.Struct, gc=False):
    point: str
    ts: Annotated[datetime, msgspec.Meta(tz=True)]
    value: float | bool | str
    quality: Literal["good", "uncertain", "bad", "stale"] = "good"


class _Body(msgspec.Struct):
    readings: list[_Reading]


_DECODER: Final = msgspec.json.Decoder(_Body)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = msgspec.json.Decoder(datetime)


def decode_body(body: bytes, limit: int) -> Columns:
    """The readings of a JSON body. Raises Invalid `readings.body` when it is not one, TooLarge above `limit`."""
    try:
        readings = _DECODER.decode(body).readings
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_each(body, limit)
    _check_count(len(readings), limit)
    return columns_of(readings)


def columns_of(readings: Sequence[RawReading] | Sequence[_Reading]) -> Columns:
    """Readings with aware times as columns. Raises nothing: `ts` before year 1970 comes out negative."""
    n = len(readings)
    seconds = np.fromiter(map(datetime.timestamp, [r.ts for r in readings]), np.float64, n)
    named = [r.quality for r in readings]
    if named.count("good") == n:
        quality = np.zeros(n, np.uint8)
    else:
        quality = np.fromiter((QUALITY_CODES[name] for name in named), np.uint8, n)
    return Columns(
        index=np.arange(n),
        keys=[r.point for r in readings],
        ts=np.rint(seconds * 1e6).astype(np.int64),  # exact: a double holds µs until the year 2255
        values=[r.value for r in readings],
        quality=quality,
    )


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge("readings.too_many", count=count, limit=limit)


def _decode_each(body: bytes, limit: int) -> Columns:
    try:
        # Python's own parser takes NaN and Infinity, which many clients write: then only those are rejected.
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("readings.not_json", where="body", reason=str(error)[:200]) from None
    items = document.get("readings") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise Invalid("readings.body", where="body")
    _check_count(len(items), limit)
    return check_each(enumerate(items))


def check_each(items: Iterable[tuple[int, object]]) -> Columns:
    """Look at each reading (index, object from JSON); what cannot be read is refused, the rest goes on."""
    good: list[RawReading] = []
    index: list[int] = []
    refused: list[Refusal] = []
    for i, item in items:
        try:
            good.append(_one(item))
            index.append(i)
        except Invalid as error:
            refused.append(refusal(i, error.code, error.params, item))
    columns = columns_of(good)
    columns.index = np.array(index, np.int64)
    columns.refused = refused
    return columns


def refusal(index: int, code: str, params: dict[str, Any], item: object) -> Refusal:
    """A rejected JSON reading, with as much of it as it has."""
    parts: dict[str, Any] = item if isinstance(item, dict) else {}
    point, ts, quality = parts.get("point"), parts.get("ts"), parts.get("quality")
    return Refusal(
        index=index,
        code=code,
        params=params,
        point=point if isinstance(point, str) else "",
        ts=None if ts is None else str(ts),
        value=parts.get("value", None if parts else item),
        quality=None if quality is None else str(quality),
    )


def _one(item: object) -> RawReading:
    if not isinstance(item, dict):
        raise Invalid("reading.shape")
    point, value, quality = (item.get("point"), item.get("value"), item.get("quality", "good"))
    if not isinstance(point, str) or not point:
        raise Invalid("reading.no_point")
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1 << 1023 else math.inf
    if not isinstance(value, float | bool | str):
        raise Invalid("reading.no_value")
    if quality not in QUALITIES:
        raise Invalid("reading.quality", quality=str(quality)[:40], qualities=", ".join(QUALITIES))
    return RawReading(point, read_time(item.get("ts")), value, cast(Quality, quality))


def read_time(text: object) -> datetime:
    """An aware time from RFC 3339 text. Raises Invalid `reading.time` or `reading.naive_time`."""
    if not isinstance(text, str):
        raise Invalid("reading.time", ts=str(text)[:60])
    try:
        ts = _TIME.decode(json.dumps(text))
    except msgspec.DecodeError:
        raise Invalid("reading.time", ts=text[:60]) from None
    if ts.tzinfo is None:
        raise Invalid("reading.naive_time", ts=text[:60])
    return ts


def moment(micros: int) -> datetime:
    """µs since 1970 as an aware time. Raises OverflowError outside of the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=micros)


def time_text(micros: int) -> str:
    """µs since 1970 as RFC 3339 text, for messages."""
    try:
        return moment(micros).isoformat()
    except OverflowError:
        return f"{micros} µs"
