"""The life of an alarm as functions of their inputs (ISA-18.2 / IEC 62682). No clock, no database.

What detects is kept apart from what people do. A `Timer` is an on-delay that has not run out; a `Life`
is one open alarm with orthogonal fields (active, acked, latched, shelved); the state that is shown is
derived from them by `display_state`. `observe` takes one reading, `advance` lets time pass, and
`acknowledge`, `shelve`, `unshelve` and `reset` are what an operator does. All of them return the new state
and the `Change`s that led to it, in order.

Rules of the game:

- An alarm is *high* when the value is above the setpoint, *low* when below. It returns when the value has
  come back by the deadband: for a high alarm, at or below `setpoint - deadband`.
- The on-delay runs in the event time of the point and is half-open: a condition that held during
  `[since, since + on_delay)` has lasted long enough, whatever comes at the end of it.
- Bad or stale quality, and silence for longer than `stale_after`, stop the timer. It goes on with the next
  usable reading. Such readings neither raise nor clear an alarm.
- A reading that is not newer than the one before it is late: it corrects history, not live alarms.
- An alarm closes when it is not active, acknowledged, not latched and not shelved. Until then the same
  condition rising again is the same alarm, counted up: a flapping signal has one open alarm.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class RuleKind(StrEnum):
    """Which side of the setpoint alarms."""

    HIGH = "high"
    LOW = "low"


class Quality(IntEnum):
    """Quality of a reading, as in `latest.q`. Good and uncertain values are used."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2
    STALE = 3


class DisplayState(StrEnum):
    """The state of an alarm as an operator sees it, after ISA-18.2 figure 3."""

    UNACKED = "unacked"  # the condition holds, nobody has acknowledged it
    ACKED = "acked"  # the condition holds and someone knows
    RTN_UNACKED = "rtn_unacked"  # back to normal before anyone acknowledged it
    LATCHED_UNACKED = "latched_unacked"  # back to normal, waits for acknowledgement and reset
    LATCHED_ACKED = "latched_acked"  # back to normal and acknowledged, waits for reset
    SHELVED = "shelved"  # hidden by an operator until a time
    CLOSED = "closed"  # over; ISA's "normal"


class ChangeKind(StrEnum):
    """What happened to an alarm; also the kinds of `alarm_event` that come from the state machine."""

    RAISED = "raised"
    AGAIN = "again"  # rose again while still open
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    RESET = "reset"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """When a value is alarming. `setpoint` and `deadband` are in the point's unit."""

    kind: RuleKind
    setpoint: float
    deadband: float = 0.0  # >= 0
    on_delay: timedelta = timedelta(0)  # >= 0
    latching: bool = False  # stays after return until it is reset
    stale_after: timedelta | None = None  # silence that counts as stale; None: never

    def exceeds(self, value: float) -> bool:
        """Whether the value lies beyond the setpoint; a value on it does not."""
        return value > self.setpoint if self.kind is RuleKind.HIGH else value < self.setpoint

    def clears(self, value: float) -> bool:
        """Whether the value has come back by the deadband. With no deadband: the opposite of `exceeds`."""
        if self.kind is RuleKind.HIGH:
            return value <= self.setpoint - self.deadband
        return value >= self.setpoint + self.deadband


@dataclass(frozen=True, slots=True)
class Reading:
    """One accepted reading of a point, in event time."""

    ts: datetime
    value: float
    quality: int = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Timer:
    """An on-delay that runs, or stands still since `frozen_at`."""

    since: datetime  # event time of the first reading beyond the setpoint
    due_at: datetime
    value: float  # of that reading
    frozen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The life of one alarm, from its first rise to its end. Times are event times, but for those of operators."""

    active: bool  # the condition holds
    acked: bool
    latched: bool
    value: float  # that made it rise, the last time it did
    raised_at: datetime  # the first time
    rose_at: datetime  # the last time
    count: int = 1  # how often it rose while open
    shelved_until: datetime | None = None
    returned_at: datetime | None = None
    acked_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to an alarm, with the alarm as it was right after."""

    kind: ChangeKind
    at: datetime
    alarm: Life
    value: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one (rule, point). `alarm` is its open alarm; a running timer excludes an active one."""

    timer: Timer | None = None
    alarm: Life | None = None
    seen_at: datetime | None = None  # event time of the newest reading

    @property
    def active(self) -> bool:
        return self.alarm is not None and self.alarm.active


Step = tuple[State, list[Change]]


def display_state(alarm: Life) -> DisplayState:
    """Return the one state that describes the alarm to an operator."""
    if alarm.closed_at is not None:
        return DisplayState.CLOSED
    if alarm.shelved_until is not None:
        return DisplayState.SHELVED
    if alarm.active:
        return DisplayState.ACKED if alarm.acked else DisplayState.UNACKED
    if alarm.latched:
        return DisplayState.LATCHED_ACKED if alarm.acked else DisplayState.LATCHED_UNACKED
    return DisplayState.RTN_UNACKED


def observe(rule: Threshold, state: State, reading: Reading) -> Step:
    """Return the state after a reading. Timers that ran out before it fire first; a late one changes nothing."""
    if state.seen_at is not None and reading.ts <= state.seen_at:
        return state, []
    state, changes = _run_timer(rule, state, reading.ts)
    if reading.quality >= Quality.BAD:
        timer = state.timer
        if timer is not None and timer.frozen_at is None:
            timer = replace(timer, frozen_at=reading.ts)
        return State(timer, state.alarm, reading.ts), changes
    if state.active:
        alarm, more = _back_to_normal(rule, state.alarm, reading)
        return State(None, alarm, reading.ts), changes + more
    if not rule.exceeds(reading.value):
        return State(None, state.alarm, reading.ts), changes
    timer = _thawed(state.timer, reading.ts) or Timer(reading.ts, reading.ts + rule.on_delay, reading.value)
    state, more = _run_timer(rule, State(timer, state.alarm, reading.ts), reading.ts)
    return state, changes + more


def advance(rule: Threshold, state: State, now: datetime) -> Step:
    """Return the state after time has passed until `now`: on-delays run out, shelving ends."""
    state, changes = _run_timer(rule, state, now)
    alarm = state.alarm
    if alarm is not None and alarm.shelved_until is not None and alarm.shelved_until <= now:
        alarm, more = unshelve(alarm, alarm.shelved_until)
        return replace(state, alarm=_open(alarm)), changes + more
    return state, changes


def abandon(state: State, now: datetime) -> Step:
    """Return the state after its rule was disabled or deleted: nothing holds any more, so the alarm returns."""
    if state.alarm is None or not state.alarm.active:
        return replace(state, timer=None), []
    alarm, changes = _returned(state.alarm, now, None)
    return State(None, alarm, state.seen_at), changes


def acknowledge(alarm: Life, now: datetime) -> tuple[Life, list[Change]]:
    """Say that someone knows. An acknowledged or closed alarm stays as it is."""
    if alarm.acked or alarm.closed_at is not None:
        return alarm, []
    alarm = replace(alarm, acked=True, acked_at=now)
    return _settled(alarm, now, [Change(ChangeKind.ACKNOWLEDGED, now, alarm)])


def shelve(alarm: Life, until: datetime, now: datetime) -> tuple[Life, list[Change]]:
    """Hide the alarm until a time later than `now`; it goes on living meanwhile. Shelving again moves the time."""
    if alarm.closed_at is not None or until <= now or alarm.shelved_until == until:
        return alarm, []
    alarm = replace(alarm, shelved_until=until)
    return alarm, [Change(ChangeKind.SHELVED, now, alarm)]


def unshelve(alarm: Life, now: datetime) -> tuple[Life, list[Change]]:
    """Show the alarm again. One that ended while it was shelved closes now."""
    if alarm.shelved_until is None or alarm.closed_at is not None:
        return alarm, []
    alarm = replace(alarm, shelved_until=None)
    return _settled(alarm, now, [Change(ChangeKind.UNSHELVED, now, alarm)])


def reset(alarm: Life, now: datetime) -> tuple[Life, list[Change]]:
    """Release the latch of an alarm whose condition is gone; changes nothing while it holds."""
    if alarm.active or not alarm.latched or alarm.closed_at is not None:
        return alarm, []
    alarm = replace(alarm, latched=False)
    return _settled(alarm, now, [Change(ChangeKind.RESET, now, alarm)])


def _run_timer(rule: Threshold, state: State, now: datetime) -> Step:
    """Let an on-delay run until `now`: it fires, or stands still where the point fell silent."""
    timer = state.timer
    if timer is None or timer.frozen_at is not None:
        return state, []
    if rule.stale_after is not None and state.seen_at is not None:
        stale_at = state.seen_at + rule.stale_after
        if stale_at < timer.due_at and stale_at <= now:
            return replace(state, timer=replace(timer, frozen_at=stale_at)), []
    if now < timer.due_at:
        return state, []
    alarm, changes = _raised(rule, state.alarm, timer)
    return State(None, alarm, state.seen_at), changes


def _thawed(timer: Timer | None, ts: datetime) -> Timer | None:
    if timer is None or timer.frozen_at is None:
        return timer
    return Timer(timer.since, timer.due_at + (ts - timer.frozen_at), timer.value)


def _raised(rule: Threshold, alarm: Life | None, timer: Timer) -> tuple[Life, list[Change]]:
    at, value = timer.due_at, timer.value
    if alarm is None:
        alarm = Life(
            active=True,
            acked=False,
            latched=rule.latching,
            value=value,
            raised_at=at,
            rose_at=at,
        )
        return alarm, [Change(ChangeKind.RAISED, at, alarm, value)]
    alarm = replace(
        alarm,
        active=True,
        acked=False,
        latched=rule.latching,
        value=value,
        count=alarm.count + 1,
        rose_at=at,
        returned_at=None,
    )
    return alarm, [Change(ChangeKind.AGAIN, at, alarm, value)]


def _back_to_normal(rule: Threshold, alarm: Life | None, reading: Reading) -> tuple[Life | None, list[Change]]:
    if alarm is None or not rule.clears(reading.value):
        return alarm, []
    return _returned(alarm, reading.ts, reading.value)


def _returned(alarm: Life, at: datetime, value: float | None) -> tuple[Life | None, list[Change]]:
    # A timer fires by the server's clock; a reading of a slower clock may come after it with an earlier time.
    at = max(at, alarm.rose_at)
    alarm = replace(alarm, active=False, returned_at=at)
    alarm, changes = _settled(alarm, at, [Change(ChangeKind.RETURNED, at, alarm, value)])
    return _open(alarm), changes


def _settled(alarm: Life, at: datetime, changes: list[Change]) -> tuple[Life, list[Change]]:
    """Close the alarm if nothing keeps it open."""
    if alarm.active or not alarm.acked or alarm.latched or alarm.shelved_until is not None:
        return alarm, changes
    alarm = replace(alarm, closed_at=at)
    return alarm, [*changes, Change(ChangeKind.CLOSED, at, alarm)]


def _open(alarm: Life) -> Life | None:
    return alarm if alarm.closed_at is None else None
