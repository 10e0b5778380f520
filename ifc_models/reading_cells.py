"""Cells of a table as readings: times in any form to µs since 1970 UTC, values to numbers, bools and texts.

What cannot be read is named with its row and column; the rest goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from ifc_models.reading_mapping import ISO, UNIX, UNIX_MS, is_empty, number_of

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  of times that name no zone
_QUARTER: Final = 900_000_000  # µs; no zone changes its offset within a quarter of an hour
BAD: Final = np.iinfo(np.int64).min
_BOOLS: Final = {"true": True, "false": False}


class Unreadable(msgspec.Struct, array_like=True):
    """A cell that is no reading: its line or row in the file, from 1, its column, why, and what it says."""

    row: int
    column: str
    code: str
    params: dict[str, Any]
    point: str
    ts: str | None
    value: str


@dataclass(slots=True)
class Clock:
    """Turns written times into µs since 1970 UTC. `high`: per series the latest time seen in an hour that comes twice,
    so that what goes back there is its second turn; kept from one part of a file to the next."""

    form: str
    zone: str
    high: dict[str, int] = field(default_factory=dict)

    def read(self, cells: Sequence[str], series: Sequence[str] | None = None) -> NDArray[np.int64]:
        """(n,) µs since 1970 UTC; BAD where a cell is no time, or one that clocks skipped."""
        if self.form in (UNIX, UNIX_MS):
            scale = 1e6 if self.form == UNIX else 1e3
            numbers = np.array([number_of(cell) or np.nan for cell in cells], np.float64) * scale
            sound = np.isfinite(numbers) & (np.abs(numbers) < 9e18)
            return np.where(sound, np.rint(np.where(sound, numbers, 0)), BAD).astype(np.int64)
        naive, aware = self._written(cells)
        return np.where(aware, naive, self.localise(naive, series))

    def _written(self, cells: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(n,) µs as written, and whether a zone was written too (then they are UTC)."""
        if self.form == ISO and (fast := _iso(cells)) is not None:
            return fast
        known: dict[str, tuple[int, bool]] = {}
        found = []
        for cell in cells:
            if cell not in known:
                known[cell] = self._one(cell.strip())
            found.append(known[cell])
        return np.array([each[0] for each in found], np.int64), np.array([each[1] for each in found], bool)

    def _one(self, cell: str) -> tuple[int, bool]:
        try:
            time = datetime.fromisoformat(cell) if self.form == ISO else datetime.strptime(cell, self.form)  # noqa: DTZ007
        except ValueError:
            return BAD, False
        aware = time.tzinfo is not None
        if aware:
            time = time.astimezone(UTC).replace(tzinfo=None)
        return (time - _EPOCH) // timedelta(microseconds=1), aware

    def localise(self, naive: NDArray[np.int64], series: Sequence[str] | None) -> NDArray[np.int64]:
        """(n,) local µs as µs UTC. Of an hour that comes twice the first is meant until times go back."""
        if self.zone == "UTC":
            return naive
        zone = ZoneInfo(self.zone)
        quarters, which = np.unique(naive // _QUARTER, return_inverse=True)
        early, late = (np.array([_offset(zone, int(q), fold) for q in quarters], np.int64) for fold in (0, 1))
        first, second = early[which], late[which]
        utc = np.where(naive == BAD, BAD, naive - first)
        utc[(second > first) & (naive != BAD)] = BAD  # clocks went forward: there was no such time
        for row in np.flatnonzero(second < first).tolist():
            name = "" if series is None else series[row]
            high = self.high.get(name, BAD)
            if naive[row] <= high and high - naive[row] < 3 * 4 * _QUARTER:
                utc[row] = naive[row] - second[row]
            else:
                self.high[name] = int(naive[row])
        return utc


def _offset(zone: ZoneInfo, quarter: int, fold: int) -> int:
    """µs between local time and UTC in a quarter of an hour; 0 outside of the calendar."""
    try:
        local = (_EPOCH + timedelta(microseconds=quarter * _QUARTER)).replace(fold=fold)
        found = zone.utcoffset(local)
    except OverflowError:
        return 0
    return 0 if found is None else round(found.total_seconds() * 1e6)


def _iso(cells: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """ISO times without a zone, or all with Z, at once; None: look at each."""
    if not cells or not all(cell[:4].isdigit() and len(cell) >= 10 for cell in cells):
        return None
    zulu = [cell.endswith(("Z", "z")) for cell in cells]
    if any(zulu):
        if not all(zulu):
            return None
        cells = [cell[:-1] for cell in cells]
    if any("+" in cell or cell.count("-") != 2 for cell in cells):
        return None
    try:
        times = np.array(cells, "datetime64[us]")
    except ValueError:
        return None
    return times.astype(np.int64), np.full(len(cells), bool(zulu[0]))


def values_of(cells: Sequence[str], decimal: str) -> list[float | bool | str | None]:
    """Cells as values; None: empty. A text that is neither number nor bool stays one: it may name a state."""
    if decimal == ".":
        try:
            plain = np.array(cells, np.float64)
        except ValueError:
            pass
        else:
            if np.isfinite(plain).all():
                return list(plain.tolist())
    return [_value(cell, decimal) for cell in cells]


def _value(cell: str, decimal: str) -> float | bool | str | None:
    if is_empty(cell):
        return None
    number = number_of(cell, decimal)
    if number is not None:
        return number
    return _BOOLS.get(cell.strip().lower(), cell.strip())
