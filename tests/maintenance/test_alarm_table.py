"""The quick rejection must never reject a reading that changes something."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from maintenance.alarm_state import Change, Reading, RuleKind, State, Threshold, observe
from maintenance.alarm_table import PointRule, RuleTable, microseconds, moment

START = moment(1_772_000_000_000_000)


@dataclass(frozen=True)
class Batch:
    handles: npt.NDArray[np.int32]
    ts: npt.NDArray[np.int64]
    num: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


def batch(rows: list[tuple[int, int, float, int]]) -> Batch:
    """Rows are `(handle, second, value, quality)`."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Batch(
        np.array(columns[0], np.int32),
        np.array([microseconds(START + timedelta(seconds=second)) for second in columns[1]], np.int64),
        np.array(columns[2], np.float64),
        np.array(columns[3], np.uint8),
    )


RULES = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.builds(
            Threshold,
            kind=st.sampled_from(RuleKind),
            setpoint=st.sampled_from([28.0, 30.0]),
            deadband=st.sampled_from([0.0, 2.0]),
            on_delay=st.sampled_from([timedelta(0), timedelta(seconds=5)]),
            stale_after=st.sampled_from([None, timedelta(seconds=9)]),
        ),
    ),
    max_size=8,
).map(lambda rules: [PointRule(UUID(int=n), handle, threshold) for n, (handle, threshold) in enumerate(rules)])
READING = st.tuples(
    st.integers(0, 6), st.integers(0, 60), st.sampled_from([26.0, 28.0, 29.0, 30.0, 31.0, np.nan]), st.integers(0, 3)
)


@given(RULES, st.lists(st.lists(READING, max_size=12), max_size=10))
def test_the_sieve_lets_through_whatever_moves(
    rules: list[PointRule], batches: list[list[tuple[int, int, float, int]]]
) -> None:
    table = RuleTable(rules)
    plain = {rule.id: State() for rule in rules}
    expected: dict[UUID, list[Change]] = {rule.id: [] for rule in rules}
    told: dict[UUID, list[Change]] = {rule.id: [] for rule in rules}
    for readings in batches:
        for row, before, sifted in table.sift(batch(readings)):
            rule, state = table.rules[row], replace(table.states[row], seen_at=before)
            moves = table.moves(row, before, sifted)
            changes: list[Change] = []
            for reading in sifted:
                state, more = observe(rule.threshold, state, reading)
                changes += more
            assert moves == bool(changes or state.timer != table.states[row].timer)
            told[rule.id] += changes
            table.set(row, state)
        for rule in rules:
            mine = sorted((r for r in readings if r[0] == rule.handle), key=lambda r: r[1])
            newest = plain[rule.id].seen_at
            for _, second, value, quality in mine:
                ts = START + timedelta(seconds=second)
                if newest is None or ts > newest:
                    usable = max(quality, 2) if np.isnan(value) else quality
                    plain[rule.id], more = observe(rule.threshold, plain[rule.id], Reading(ts, value, usable))
                    expected[rule.id] += more
    assert told == expected


def test_a_table_without_rules_lets_nothing_through() -> None:
    assert list(RuleTable().sift(batch([(1, 0, 99.0, 0)]))) == []
    assert RuleTable().next_due() is None


def test_the_next_deadline_is_where_a_timer_runs_out_or_the_point_falls_silent() -> None:
    slow = Threshold(kind=RuleKind.HIGH, setpoint=30, on_delay=timedelta(seconds=60))
    quiet = replace(slow, stale_after=timedelta(seconds=20))
    table = RuleTable([PointRule(UUID(int=1), 1, slow), PointRule(UUID(int=2), 2, quiet)])
    for row, before, readings in table.sift(batch([(1, 0, 31, 0), (2, 0, 31, 0)])):
        assert table.moves(row, before, readings)
        table.set(row, observe(table.rules[row].threshold, State(), readings[0])[0])
    assert table.next_due() == START + timedelta(seconds=20)
    assert table.due(START + timedelta(seconds=59)) == [1]
    assert list(table.sift(batch([(2, 50, 31, 0)])))
    assert table.next_due() == START + timedelta(seconds=60)
    assert table.due(START + timedelta(seconds=60)) == [0, 1]


def test_microseconds_are_exact() -> None:
    assert moment(microseconds(START + timedelta(microseconds=1))) == START + timedelta(microseconds=1)
