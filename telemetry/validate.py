"""Judge readings against their points: vectors for plain numbers in range, one by one for all that is special."""

import math
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.decode import EARLIEST_US, Columns, Refusal, time_text
from telemetry.points import QUALITIES, Value
from telemetry.registry import BOOL, ENUM, NUMBER, TEXT, PointInfo, PointRegistry
from twin.errors import Invalid, Language, text_of

MAX_TEXT: Final = 4_000  # characters of one text reading
AT_ONCE_US: Final = 30_000_000  # readings no further apart are of one moment
HISTORY_US: Final = 3_600_000_000
KEEP_TEXT: Final = 1_000  # characters of a refused value that quarantine keeps


@dataclass(slots=True)
class Piece:
    """One submission, judged: what is fit to store as columns of length n, and what is refused."""

    index: NDArray[np.int64]  # (n,) place in the submission
    handle: NDArray[np.int64]  # (n,)
    ts: NDArray[np.int64]  # (n,) µs since 1970 UTC
    num: NDArray[np.float64]  # (n,) NaN: a text
    txt: list[str | None] | None  # n texts; None: there is no text among them
    quality: NDArray[np.uint8]  # (n,)
    refused: list[Refusal] = field(default_factory=list)
    skew_us: float | None = None  # how far the source's clock is ahead, see `skew_of`
    keys: list[str] = field(default_factory=list)  # n keys, for messages
    given: NDArray[np.float64] | None = None  # (n,) the numbers as they came; None: as `num`

    def refuse(self, row: int, code: str) -> Refusal:
        """A refusal of the reading in `row`, found only when it was stored."""
        text = None if self.txt is None else self.txt[row]
        ts = time_text(int(self.ts[row]))
        return Refusal(
            index=int(self.index[row]),
            code=code,
            params={"point": self.keys[row], "ts": ts},
            point=self.keys[row],
            ts=ts,
            value=float((self.num if self.given is None else self.given)[row]) if text is None else text,
            quality=QUALITIES[self.quality[row]],
        )


def coerce(info: PointInfo, value: Value) -> tuple[float, str | None]:
    """`value` as stored: (number, None) or (NaN, text). Raises Invalid: wrong kind, not finite, out of range.

    A bool point takes true, false, 0 and 1; an enum point a code or its label.
    """
    if info.kind == "text":
        return math.nan, _text(info, value)
    number = _bool(info, value) if info.kind == "bool" else _enum(info, value) if info.kind == "enum" else value
    if isinstance(number, bool | str):
        raise Invalid("reading.kind", point=info.key, kind=info.kind, value=str(value)[:60])
    if not math.isfinite(number):
        raise Invalid("reading.not_finite", point=info.key)
    low, high = info.min_value, info.max_value
    if (low is not None and number < low) or (high is not None and number > high):
        raise Invalid("reading.range", point=info.key, value=number, low=_bound(low), high=_bound(high))
    return float(number), None


def _bound(value: float | None) -> str:
    return "…" if value is None else f"{value:g}"


def _text(info: PointInfo, value: Value) -> str:
    if not isinstance(value, str):
        raise Invalid("reading.kind", point=info.key, kind=info.kind, value=str(value)[:60])
    if len(value) > MAX_TEXT or "\x00" in value or not _encodable(value):
        raise Invalid("reading.text", point=info.key, limit=MAX_TEXT)
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bool(info: PointInfo, value: Value) -> Value:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and info.labels:
        value = next((float(code) for code, label in info.labels.items() if label == value), value)
    if isinstance(value, str) or value not in (0.0, 1.0):
        raise Invalid("reading.kind", point=info.key, kind=info.kind, value=str(value)[:60])
    return value


def _enum(info: PointInfo, value: Value) -> Value:
    labels = info.labels or {}
    if isinstance(value, str):
        code = next((code for code, label in labels.items() if value in (label, code)), None)
        if code is None:
            raise Invalid("reading.label", point=info.key, value=value[:60], labels=", ".join(labels.values()))
        return float(code)
    if isinstance(value, bool) or value != int(value if math.isfinite(value) else 0):
        raise Invalid("reading.kind", point=info.key, kind=info.kind, value=str(value)[:60])
    if labels and str(int(value)) not in labels:
        raise Invalid("reading.label", point=info.key, value=f"{value:g}", labels=", ".join(labels))
    return value


def judge(
    columns: Columns,
    registry: PointRegistry,
    *,
    now_us: int,
    ahead_us: int,
    allowed: Set[int] | None = None,
    computed: bool = False,
) -> Piece:
    """Sort readings into those to store and those to refuse. Points must be in `registry`, or count as unknown.

    `allowed`: the handles the sender may write to; to it every other point is unknown. None: all. `computed`: the
    server itself worked them out, so that they may be of derived points.
    """
    n = len(columns.keys)
    found = [registry.handles.get(key, 0) for key in columns.keys]
    if allowed is not None:
        found = [handle if handle in allowed else 0 for handle in found]
    handle = np.fromiter(found, np.int64, n)
    kinds = registry.kinds[handle]
    given = num = _plain_numbers(columns.values)
    if registry.converts:
        num = num * registry.factor[handle] + registry.shift[handle]
    # A bool that came as 0 or 1 is as plain as a number; what is not plain is looked at below.
    odd = (kinds != NUMBER) & ~((kinds == BOOL) & ((num == 0) | (num == 1)))
    odd |= ~np.isfinite(num) | (num < registry.low[handle]) | (num > registry.high[handle])
    odd |= (columns.ts > now_us + ahead_us) | (columns.ts < EARLIEST_US)
    if registry.derives and not computed:
        odd |= registry.derived[handle]
    piece = Piece(columns.index, handle, columns.ts, num, None, columns.quality, list(columns.refused))
    piece.keys = columns.keys
    piece.given = given if registry.converts else None
    piece.skew_us = skew_of(handle, columns.ts, now_us, ahead_us)
    if odd.any():
        _look_at(np.flatnonzero(odd), piece, columns, registry, now_us + ahead_us, computed=computed)
    return piece


def skew_of(handle: NDArray[np.int64], ts: NDArray[np.int64], now_us: int, ahead_us: int) -> float | None:
    """How far a source's clock seems to be ahead of ours, µs; None: these readings say nothing of it.

    Of what was gathered for a while each point's newest reading counts, and of those the middle one; a few that lie
    further ahead than `ahead_us`, or far back, change nothing. More than `HISTORY_US` of readings, all of them old, are
    a history that somebody sends, not a clock that is wrong.
    """
    if not len(ts):
        return None
    middle = float(np.median(ts)) - now_us
    if ts.max() - ts.min() <= AT_ONCE_US or middle > ahead_us:
        return middle
    some = ts[:: 1 + len(ts) // 1_000]
    low, high = np.quantile(some, (0.25, 0.75))
    span, sane = 2 * (high - low), ts <= now_us + ahead_us
    points, times = handle[sane], ts[sane]
    order = np.argsort(points, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(points[order]) != 0))
    skew = float(np.median(np.maximum.reduceat(times[order], starts))) - now_us
    return None if span > HISTORY_US and skew < -HISTORY_US else skew


def _plain_numbers(values: list[Value]) -> NDArray[np.float64]:
    """(n,) the numbers among `values`, NaN in place of bools and texts."""
    if set(map(type, values)) <= {float, int}:
        return np.array(values, np.float64)
    return np.array([v if type(v) is float or type(v) is int else math.nan for v in values], np.float64)


def _look_at(
    rows: NDArray[np.int64],
    piece: Piece,
    columns: Columns,
    registry: PointRegistry,
    limit_us: int,
    *,
    computed: bool,
) -> None:
    """Judge the readings in `rows` one by one; drop the refused ones from the piece."""
    keep = np.ones(len(piece.handle), bool)
    texts: dict[int, str] = {}
    for row in rows.tolist():
        value = columns.values[row]
        try:
            info = _info(columns.keys[row], int(piece.handle[row]), registry)
            if info.derived and not computed:
                raise Invalid("reading.derived_point", point=info.key)
            _check_time(int(columns.ts[row]), limit_us)
            number, text = coerce(info, _converted(info, value))
        except Invalid as error:
            keep[row] = False
            piece.refused.append(
                Refusal(
                    index=int(columns.index[row]),
                    code=error.code,
                    params=error.params,
                    point=columns.keys[row],
                    ts=time_text(int(columns.ts[row])),
                    value=value,
                    quality=QUALITIES[columns.quality[row]],
                )
            )
            continue
        piece.num[row] = number
        if text is not None:
            texts[row] = text
    if texts:
        piece.txt = [texts.get(row) for row in range(len(keep))]
    if not keep.all():
        _drop(piece, keep)


def _converted(info: PointInfo, value: Value) -> Value:
    """A number in the point's unit; what is refused is kept as it came."""
    if info.scale == (1.0, 0.0) or isinstance(value, bool | str):
        return value
    return value * info.scale[0] + info.scale[1]


def _info(key: str, handle: int, registry: PointRegistry) -> PointInfo:
    if handle == 0:
        raise Invalid("reading.unknown_point", point=key[:200])
    info = registry.infos[handle]
    if info.retired:
        raise Invalid("reading.retired_point", point=key)
    return info


def _check_time(micros: int, limit_us: int) -> None:
    if micros > limit_us:
        raise Invalid("reading.ahead", ts=time_text(micros), limit=time_text(limit_us))
    if micros < EARLIEST_US:
        raise Invalid("reading.too_old", ts=time_text(micros))


def _drop(piece: Piece, keep: NDArray[np.bool_]) -> None:
    piece.index, piece.handle, piece.ts = (piece.index[keep], piece.handle[keep], piece.ts[keep])
    piece.num, piece.quality = piece.num[keep], piece.quality[keep]
    piece.keys = [key for key, kept in zip(piece.keys, keep.tolist(), strict=True) if kept]
    if piece.given is not None:
        piece.given = piece.given[keep]
    if piece.txt is not None:
        piece.txt = [text for text, kept in zip(piece.txt, keep.tolist(), strict=True) if kept]


def quarantine_value(value: object) -> object:
    """A refused value in a form that jsonb takes: NaN and infinity as text, no NUL or half characters, cut."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict | list):
        return clean_text(repr(value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 62:
        return str(value)[:KEEP_TEXT] if value.bit_length() < 10_000 else "…"
    return value


def clean_text(text: str) -> str:
    """Text that PostgreSQL can store, at most `KEEP_TEXT` characters."""
    return text[:KEEP_TEXT].replace("\x00", "�").encode("utf-8", "replace").decode()


def message(refused: Refusal, lang: Language) -> str:
    """Why a reading was refused and what to do."""
    params: dict[str, Any] = refused.params
    return text_of(refused.code, lang, params)


__all__ = ["BOOL", "ENUM", "NUMBER", "TEXT", "Piece", "clean_text", "coerce", "judge", "message", "quarantine_value"]
