"""All rules as arrays, so that readings which change nothing cost nothing.

Nearly every reading leaves every alarm as it is. `RuleTable.sift` finds the others: it compares a whole batch
with two bounds per rule, and hands out only those rules whose state machine would move. What it lets through
is decided by `alarm_state`, never here: the table may let through too much, but never too little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import numpy as np
import numpy.typing as npt

from maintenance.alarm_state import (
    Quality,
    Reading,
    RuleKind,
    State,
    Threshold,
    Timer,
    observe,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = np.iinfo(np.int64).max
MICROSECOND = timedelta(microseconds=1)

Ints = npt.NDArray[np.int64]
NOTHING: Ints = np.empty(0, np.int64)


class AcceptedBatch(Protocol):
    """Readings that have been committed, one per row of every array. Telemetry's ingest makes them."""

    @property
    def handles(self) -> npt.NDArray[np.integer]:
        """(n,) handle of the point"""
        ...

    @property
    def ts(self) -> npt.NDArray[np.generic]:
        """(n,) event time: datetime64, or integer microseconds since 1970 in UTC"""
        ...

    @property
    def num(self) -> npt.NDArray[np.float64]:
        """(n,) value; NaN where it is no number"""
        ...

    @property
    def quality(self) -> npt.NDArray[np.integer]:
        """(n,) 0 good, 1 uncertain, 2 bad, 3 stale"""
        ...


@dataclass(frozen=True, slots=True)
class PointRule:
    """One rule on one point, ready to run."""

    id: UUID
    handle: int
    threshold: Threshold


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def moment(us: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=us)


class RuleTable:
    """Rules sorted by point, with what the engine believes of each: its state and the newest reading's time.

    A low rule is a high rule of the negated value, so all comparisons below are of `sign * value`. A reading is
    quiet when `low < sign * value <= high`, unless a timer runs and is over, or the reading would stop it.
    """

    def __init__(self, rules: Sequence[PointRule] = ()) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.handle)
        self.states = [State()] * len(self.rules)
        self.evaluations = 0  # rules × readings looked at
        self.row_of = {rule.id: row for row, rule in enumerate(self.rules)}
        n = len(self.rules)
        handles = np.array([rule.handle for rule in self.rules], np.int64)
        self._first = np.searchsorted(handles, np.arange((handles[-1] if n else -1) + 2))
        self._count = np.diff(self._first)
        self._single = bool((self._count <= 1).all())  # the usual case is the quick one
        self._sign = np.array(
            [1.0 if r.threshold.kind is RuleKind.HIGH else -1.0 for r in self.rules],
            np.float64,
        )
        self._setpoint = self._sign * [rule.threshold.setpoint for rule in self.rules]
        self._low = np.full(n, -np.inf)
        self._high = self._setpoint.copy()
        self._open = np.zeros(n, bool)  # always look closely
        self._due: Ints = np.full(n, NEVER, np.int64)  # of running timers
        self._stale: Ints = np.array(
            [NEVER if r.threshold.stale_after is None else r.threshold.stale_after // MICROSECOND for r in self.rules],
            np.int64,
        )
        self._seen: Ints = np.full(n, -NEVER, np.int64)  # NEVER itself would overflow when negated

    def __len__(self) -> int:
        return len(self.rules)

    def set(self, row: int, state: State, *, busy: bool = False) -> None:
        """Take over the state of a rule. `busy`: a newer one is on its way, so let every reading through."""
        self.states[row] = state
        timer, threshold = state.timer, self.rules[row].threshold
        self._open[row] = busy or (timer is not None and timer.frozen_at is not None)
        self._due[row] = microseconds(timer.due_at) if timer is not None and timer.frozen_at is None else NEVER
        self._low[row], self._high[row] = -np.inf, np.inf
        if state.active:
            self._low[row] = self._setpoint[row] - threshold.deadband
        elif timer is not None:
            self._low[row] = self._setpoint[row]
        else:
            self._high[row] = self._setpoint[row]
        if state.seen_at is not None:
            self.saw(row, state.seen_at)

    def mark_busy(self, row: int) -> None:
        self._open[row] = True

    def saw(self, row: int, ts: datetime) -> None:
        """Take note that a reading of this time has been taken into account."""
        self._seen[row] = max(int(self._seen[row]), microseconds(ts))

    def seen_at(self, row: int) -> datetime | None:
        """Event time of the newest reading that was sifted for this rule."""
        seen = int(self._seen[row])
        return None if seen == -NEVER else moment(seen)

    def sift(self, batch: AcceptedBatch) -> Iterator[tuple[int, datetime | None, list[Reading]]]:
        """Yield `(row, newest time before the batch, its readings in event order)` of every rule that may move."""
        rows, at = self._pairs(batch.handles)
        self.evaluations += rows.size
        if rows.size == 0:
            return
        ts = batch.ts
        times = (ts.astype("datetime64[us]") if ts.dtype.kind == "M" else ts).astype(np.int64)[at]
        quality = np.where(np.isnan(batch.num), Quality.BAD, batch.quality)  # no number is as good as a bad one
        signed = self._sign[rows] * batch.num[at]
        usable, due, seen = quality[at] < Quality.BAD, self._due[rows], self._seen[rows]
        loud = usable & ~((signed > self._low[rows]) & (signed <= self._high[rows]))
        loud |= self._open[rows] | (times >= due)
        running = due != NEVER
        if running.any():
            loud |= running & (~usable | (times - seen >= self._stale[rows]))
        loud &= times > seen
        if not loud.any():
            np.maximum.at(self._seen, rows, times)
            return
        moving = np.unique(rows[loud])
        before = {int(row): self.seen_at(row) for row in moving}
        np.maximum.at(self._seen, rows, times)
        marked = np.zeros(len(self.rules), bool)
        marked[moving] = True
        kept = np.flatnonzero(marked[rows])
        kept = kept[np.lexsort((times[kept], rows[kept]))]
        for group in np.split(kept, np.flatnonzero(np.diff(rows[kept])) + 1):
            row = int(rows[group[0]])
            columns = (
                times[group].tolist(),
                batch.num[at[group]].tolist(),
                quality[at[group]].tolist(),
            )
            yield (
                row,
                before[row],
                [Reading(moment(t), *rest) for t, *rest in zip(*columns, strict=True)],
            )

    def moves(self, row: int, before: datetime | None, readings: Sequence[Reading]) -> bool:
        """Whether these readings change anything but the time of the newest one."""
        old = self.states[row]
        threshold, state = (
            self.rules[row].threshold,
            State(old.timer, old.alarm, before),
        )
        for reading in readings:
            state, changes = observe(threshold, state, reading)
            if changes:
                return True
        return state.timer != old.timer

    def due(self, now: datetime) -> list[int]:
        """The rows whose timer has run out, or stands still for silence, by `now`."""
        running, deadlines = self._deadlines()
        return [int(row) for row in running[deadlines <= microseconds(now)]]

    def next_due(self) -> datetime | None:
        """When `due` will answer something, if no reading comes before."""
        _, deadlines = self._deadlines()
        return moment(int(deadlines.min())) if deadlines.size else None

    def _deadlines(self) -> tuple[Ints, Ints]:
        running = np.flatnonzero(self._due != NEVER)
        stale = self._stale[running]
        silent = np.where(
            stale == NEVER,
            NEVER,
            self._seen[running] + np.where(stale == NEVER, 0, stale),
        )
        return running, np.minimum(self._due[running], silent)

    def _pairs(self, handles: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
        """Every (rule, reading) of a batch: the row of the rule and the index of the reading."""
        last = self._first.size - 2  # the highest handle that has rules
        if last < 0:
            return NOTHING, NOTHING
        known = (handles >= 0) & (handles <= last)
        if known.all():
            at, picked = np.arange(handles.size), handles
        else:
            at = np.flatnonzero(known)
            picked = handles[at]
        first, count = self._first[picked], self._count[picked]
        if self._single:
            ruled = np.flatnonzero(count)
            return first[ruled], at[ruled]
        total = np.cumsum(count)
        within = np.arange(total[-1] if total.size else 0) - np.repeat(total - count, count)
        return np.repeat(first, count) + within, np.repeat(at, count)


def timer_of(since: datetime | None, due_at: datetime, value: float, frozen_at: datetime | None) -> Timer | None:
    """A timer out of the columns of `alarm_timer`; None where the row is missing."""
    return None if since is None else Timer(since, due_at, value, frozen_at)
