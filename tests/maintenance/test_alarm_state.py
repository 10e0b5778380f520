"""The alarm state machine: examples after ISA-18.2, then properties against a plain reference."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintenance.alarm_state import (
    Change,
    ChangeKind,
    DisplayState,
    Life,
    Quality,
    Reading,
    RuleKind,
    State,
    Threshold,
    Timer,
    abandon,
    acknowledge,
    advance,
    display_state,
    observe,
    reset,
    shelve,
    unshelve,
)
from tests.maintenance.conftest import World
from twin.db import Conn, row

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
HOT = Threshold(kind=RuleKind.HIGH, setpoint=30.0, deadband=2.0)
SLOW = replace(HOT, on_delay=timedelta(seconds=10))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def fold(
    rule: Threshold, readings: Iterable[tuple[float, float] | tuple[float, float, int]], state: State | None = None
) -> tuple[State, list[Change]]:
    """Run readings `(second, value[, quality])` through the machine."""
    state, changes = state or State(), []
    for second, *rest in readings:
        state, more = observe(rule, state, Reading(at(second), *rest))  # type: ignore[arg-type]
        changes += more
    return state, changes


def kinds(changes: Iterable[Change]) -> list[str]:
    return [str(change.kind) for change in changes]


def an_alarm() -> Life:
    state, _ = fold(HOT, [(0, 31)])
    assert state.alarm is not None
    return state.alarm


@pytest.mark.clause("6.4.3c")
def test_a_value_above_the_limit_raises_an_unacknowledged_alarm() -> None:
    state, changes = fold(HOT, [(0, 30.0), (1, 30.1)])
    assert kinds(changes) == ["raised"]
    assert (changes[0].at, changes[0].value) == (at(1), 30.1)
    assert state.alarm is not None and display_state(state.alarm) is DisplayState.UNACKED


@pytest.mark.clause("6.4.3c")
def test_a_low_rule_mirrors_a_high_one() -> None:
    cold = Threshold(kind=RuleKind.LOW, setpoint=5.0, deadband=2.0)
    _, changes = fold(cold, [(0, 5.0), (1, 4.9), (2, 6.9), (3, 7.0)])
    assert [(c.kind, c.at) for c in changes] == [(ChangeKind.RAISED, at(1)), (ChangeKind.RETURNED, at(3))]


def test_inside_the_deadband_an_alarm_neither_rises_nor_returns() -> None:
    state, changes = fold(HOT, [(0, 31), (1, 28.1), (2, 29.9)])
    assert kinds(changes) == ["raised"] and state.active
    state, changes = fold(HOT, [(3, 28.0)], state)
    assert kinds(changes) == ["returned"] and not state.active
    state, changes = fold(HOT, [(4, 29.0)], state)
    assert changes == [] and not state.active


def test_a_returned_alarm_stays_until_someone_acknowledges_it() -> None:
    state, _ = fold(HOT, [(0, 31), (1, 20)])
    assert state.alarm is not None and display_state(state.alarm) is DisplayState.RTN_UNACKED
    alarm, changes = acknowledge(state.alarm, at(9))
    assert kinds(changes) == ["acknowledged", "closed"]
    assert display_state(alarm) is DisplayState.CLOSED and alarm.closed_at == at(9)


def test_an_acknowledged_alarm_closes_when_it_returns() -> None:
    alarm, _ = acknowledge(an_alarm(), at(1))
    assert display_state(alarm) is DisplayState.ACKED
    state, changes = fold(HOT, [(2, 20)], State(alarm=alarm, seen_at=at(0)))
    assert kinds(changes) == ["returned", "closed"] and state.alarm is None


def test_an_on_delay_is_half_open() -> None:
    state, changes = fold(SLOW, [(0, 31), (9.9, 20)])
    assert changes == [] and state.timer is None
    _, changes = fold(SLOW, [(0, 31), (10, 20)])  # it held during [0, 10)
    assert [(c.kind, c.at) for c in changes] == [(ChangeKind.RAISED, at(10)), (ChangeKind.RETURNED, at(10))]


def test_an_on_delay_runs_out_without_a_reading() -> None:
    state, _ = fold(SLOW, [(0, 31)])
    assert advance(SLOW, state, at(9))[1] == []
    state, changes = advance(SLOW, state, at(60))
    assert [(c.kind, c.at, c.value) for c in changes] == [(ChangeKind.RAISED, at(10), 31)]
    assert state.timer is None


def test_within_an_on_delay_the_value_must_stay_beyond_the_limit_itself() -> None:
    _, changes = fold(SLOW, [(0, 31), (5, 29.5), (6, 31), (15, 31)])  # 29.5 is inside the deadband
    assert changes == []


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.STALE])
def test_bad_quality_stops_the_clock(quality: int) -> None:
    state, changes = fold(SLOW, [(0, 31), (4, 99, quality), (5, 99, quality)])
    assert state.timer == Timer(at(0), at(10), 31, frozen_at=at(4))
    assert advance(SLOW, state, at(1000))[1] == changes == []
    state, changes = fold(SLOW, [(100, 31)], state)
    assert state.timer == Timer(at(0), at(106), 31) and changes == []
    assert advance(SLOW, state, at(106))[1][0].at == at(106)


def test_bad_quality_neither_raises_nor_returns() -> None:
    assert fold(HOT, [(0, 99, Quality.BAD)])[1] == []
    state, _ = fold(HOT, [(0, 31), (1, 0, Quality.BAD)])
    assert state.active
    assert kinds(fold(HOT, [(0, 31, Quality.UNCERTAIN)])[1]) == ["raised"]


def test_silence_stops_the_clock_too() -> None:
    rule = replace(SLOW, stale_after=timedelta(seconds=6))
    state, _ = fold(rule, [(0, 31)])
    state, changes = advance(rule, state, at(30))
    assert state.timer == Timer(at(0), at(10), 31, frozen_at=at(6)) and changes == []
    _, changes = fold(rule, [(30, 31), (34, 31)], state)
    assert [c.at for c in changes] == [at(34)]  # 6 s before the silence, 4 s after it


def test_a_late_reading_does_not_touch_the_live_alarm() -> None:
    state, _ = fold(HOT, [(10, 31)])
    assert fold(HOT, [(9, 20), (10, 20)], state) == (state, [])


@pytest.mark.clause("8.1.8-4")
def test_a_thousand_equal_readings_are_one_alarm() -> None:
    state, changes = fold(HOT, [(second, 31) for second in range(1000)])
    assert kinds(changes) == ["raised"]
    assert state.alarm is not None and state.alarm.count == 1


@pytest.mark.clause("8.1.8-4")
def test_a_flapping_signal_is_one_open_alarm_with_a_count() -> None:
    state, changes = fold(HOT, [(second, 31 if second % 2 == 0 else 20) for second in range(1000)])
    assert kinds(changes) == ["raised", "returned"] + ["again", "returned"] * 499
    assert state.alarm is not None and state.alarm.count == 500
    assert (state.alarm.raised_at, state.alarm.rose_at) == (at(0), at(998))


def test_rising_again_asks_for_acknowledgement_again() -> None:
    rule = replace(HOT, latching=True)
    state, _ = fold(rule, [(0, 31), (1, 20)])
    assert state.alarm is not None
    alarm, _ = acknowledge(state.alarm, at(2))
    assert display_state(alarm) is DisplayState.LATCHED_ACKED
    state, changes = fold(rule, [(3, 31)], State(alarm=alarm, seen_at=at(1)))
    assert kinds(changes) == ["again"]
    assert state.alarm is not None and display_state(state.alarm) is DisplayState.UNACKED


def test_a_latched_alarm_waits_for_its_reset() -> None:
    rule = replace(HOT, latching=True)
    state, _ = fold(rule, [(0, 31)])
    assert state.alarm is not None
    assert reset(state.alarm, at(1)) == (state.alarm, [])  # the condition still holds
    state, _ = fold(rule, [(2, 20)], state)
    assert state.alarm is not None and display_state(state.alarm) is DisplayState.LATCHED_UNACKED
    alarm, changes = reset(state.alarm, at(3))
    assert kinds(changes) == ["reset"] and display_state(alarm) is DisplayState.RTN_UNACKED
    assert kinds(acknowledge(alarm, at(4))[1]) == ["acknowledged", "closed"]


def test_a_shelved_alarm_lives_on_and_comes_back() -> None:
    alarm, changes = shelve(an_alarm(), at(60), at(1))
    assert kinds(changes) == ["shelved"] and display_state(alarm) is DisplayState.SHELVED
    state, changes = fold(HOT, [(2, 20), (3, 31)], State(alarm=alarm, seen_at=at(0)))
    assert kinds(changes) == ["returned", "again"]
    state, changes = advance(HOT, state, at(61))
    assert [(c.kind, c.at) for c in changes] == [(ChangeKind.UNSHELVED, at(60))]
    assert state.alarm is not None and display_state(state.alarm) is DisplayState.UNACKED


def test_an_alarm_that_ended_while_shelved_closes_when_the_shelving_ends() -> None:
    alarm, _ = acknowledge(shelve(an_alarm(), at(60), at(1))[0], at(2))
    state, changes = fold(HOT, [(3, 20)], State(alarm=alarm, seen_at=at(0)))
    assert kinds(changes) == ["returned"] and state.alarm is not None
    assert kinds(unshelve(state.alarm, at(5))[1]) == ["unshelved", "closed"]
    state, changes = advance(HOT, state, at(60))
    assert kinds(changes) == ["unshelved", "closed"] and state == State(None, None, at(3))


def test_an_alarm_whose_rule_is_gone_returns() -> None:
    state, changes = abandon(State(alarm=an_alarm()), at(5))
    assert kinds(changes) == ["returned"] and not state.active
    assert abandon(State(Timer(at(0), at(10), 31)), at(5)) == (State(), [])


async def test_the_database_derives_the_same_state(conn: Conn, world: World) -> None:
    for active, acked, latched, shelved, closed in product((True, False), repeat=5):
        life = Life(
            active=active,
            acked=acked,
            latched=latched,
            value=31,
            raised_at=at(0),
            rose_at=at(0),
            shelved_until=at(9) if shelved else None,
            closed_at=at(5) if closed else None,
        )
        found = await row(
            conn,
            """WITH rule AS (
                   INSERT INTO alarm_rule (building_id, point_id, name, kind, alarm_setpoint, severity)
                   VALUES (%(building)s, %(handle)s, 'x', 'high', 30, 'low') RETURNING *)
               INSERT INTO alarm (rule_id, point_id, building_id, severity, code, message, value, active, acked,
                 latched, shelved_until, raised_at, rose_at, closed_at)
               SELECT id, point_id, building_id, severity, '', '', 31, %(active)s, %(acked)s, %(latched)s,
                 %(shelved_until)s, %(raised_at)s, %(rose_at)s, %(closed_at)s FROM rule RETURNING state""",
            {**asdict(life), "building": world.building, "handle": world.handle},
        )
        assert found == {"state": str(display_state(life))}


def test_what_operators_repeat_changes_nothing() -> None:
    acked, _ = acknowledge(an_alarm(), at(1))
    assert acknowledge(acked, at(2)) == (acked, [])
    assert unshelve(acked, at(2)) == (acked, [])
    assert shelve(acked, at(2), at(2)) == (acked, [])
    closed = replace(acked, active=False, closed_at=at(3))
    for act in (acknowledge, unshelve, reset):
        assert act(closed, at(4)) == (closed, [])


# -- properties ----------------------------------------------------------------------------------------------

VALUES = st.sampled_from([26.0, 27.9, 28.0, 29.0, 30.0, 30.5, 32.0])
QUALITIES = st.sampled_from([0, 0, 0, 0, 1, 2, 3])
RULES = st.builds(
    Threshold,
    kind=st.sampled_from(RuleKind),
    setpoint=st.just(30.0) | st.just(28.0),
    deadband=st.sampled_from([0.0, 1.0, 2.0]),
    on_delay=st.integers(0, 7).map(lambda s: timedelta(seconds=s)),
    latching=st.booleans(),
    stale_after=st.none() | st.integers(1, 9).map(lambda s: timedelta(seconds=s)),
)
SERIES = st.lists(st.tuples(st.integers(1, 6), VALUES, QUALITIES), max_size=40)


def reference(rule: Threshold, readings: dict[int, tuple[float, int]], end: int) -> list[tuple[str, int]]:
    """The same life told second by second: a stopwatch that is counted up, stopped or put back to zero."""
    story: list[tuple[str, int]] = []
    active = opened = running = False
    held, last = 0, None
    sign = 1 if rule.kind is RuleKind.HIGH else -1
    delay = int(rule.on_delay.total_seconds())
    silence = None if rule.stale_after is None else int(rule.stale_after.total_seconds())
    usable = False  # whether the stopwatch may run
    for second in range(end + 1):
        if running and usable and held == delay:
            story.append(("again" if opened else "raised", second))
            active, opened, running = True, True, False
        if second in readings:
            value, quality = readings[second]
            last, usable = second, quality < 2
            beyond, back = sign * value > sign * rule.setpoint, sign * value <= sign * rule.setpoint - rule.deadband
            if usable and active and back:
                story.append(("returned", second))
                active = False
            elif usable and not active and not beyond:
                running = False
            elif usable and not active and not running:
                running, held = True, 0
            if running and usable and held == delay:
                story.append(("again" if opened else "raised", second))
                active, opened, running = True, True, False
        elif running and usable and silence is not None and last is not None and second - last >= silence:
            usable = False
        if running and usable:
            held += 1
    return story


@given(RULES, SERIES)
def test_it_tells_the_same_story_as_a_stopwatch(rule: Threshold, series: list[tuple[int, float, int]]) -> None:
    second, readings = 0, {}
    for gap, value, quality in series:
        second += gap
        readings[second] = (value, quality)
    end = second + 20
    state, changes = fold(rule, [(s, *reading) for s, reading in readings.items()])
    changes += advance(rule, state, at(end))[1]
    told = [(str(c.kind), int((c.at - NOON).total_seconds())) for c in changes]
    assert told == reference(rule, readings, end)


@given(RULES, SERIES, st.lists(st.integers(0, 120), max_size=20).map(sorted))
def test_when_time_is_looked_at_makes_no_difference(
    rule: Threshold, series: list[tuple[int, float, int]], looks: list[int]
) -> None:
    """A restart or a busy server that checks timers rarely must come to the same alarms."""
    second, readings = 0, []
    for gap, value, quality in series:
        second += gap
        readings.append((second, value, quality))
    often, seen = State(), []
    for when, reading in sorted([(r[0], r) for r in readings] + [(look, None) for look in looks], key=_reading_last):
        if reading is None:
            often, more = advance(rule, often, at(when))
        else:
            often, more = observe(rule, often, Reading(at(reading[0]), *reading[1:]))
        seen += more
    seldom, changes = fold(rule, readings)
    end = at(300)
    assert seen + advance(rule, often, end)[1] == changes + advance(rule, seldom, end)[1]


def _reading_last(item: tuple[int, object]) -> tuple[int, bool]:
    return item[0], item[1] is not None


OPERATOR = st.sampled_from(["ack", "shelve", "unshelve", "reset", "tick", "above", "below"])


@given(st.booleans(), st.lists(OPERATOR, max_size=30))
def test_whatever_is_done_an_open_alarm_has_a_reason_to_be_open(latching: bool, acts: list[str]) -> None:
    rule, state, raised, closed = replace(HOT, latching=latching), State(), 0, 0
    for second, act in enumerate(acts):
        changes: list[Change] = []
        if act in ("above", "below"):
            state, changes = observe(rule, state, Reading(at(second), 31.0 if act == "above" else 20.0))
        elif act == "tick":
            state, changes = advance(rule, state, at(second))
        elif state.alarm is not None:
            alarm, changes = {
                "ack": acknowledge,
                "shelve": lambda a, now: shelve(a, now + timedelta(seconds=3), now),
                "unshelve": unshelve,
                "reset": reset,
            }[act](state.alarm, at(second))
            state = replace(state, alarm=None if alarm.closed_at else alarm)
        raised += kinds(changes).count("raised")
        closed += kinds(changes).count("closed")
        if state.alarm is not None:
            assert display_state(state.alarm) is not DisplayState.CLOSED
            assert state.alarm.active or not state.alarm.acked or state.alarm.latched or state.alarm.shelved_until
        assert raised - closed == (state.alarm is not None)
