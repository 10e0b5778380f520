"""Series in buckets against a count second by second; expressions that a server must survive."""

import time
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.derived import Rule, Source, circle_from
from telemetry.derived_expression import FUNCTIONS, MAX_LENGTH, Input, compile_expression
from telemetry.derived_series import Series, area, degree_hours, last, mean, pieces_of, run_hours, starts
from telemetry.derived_values import Feed, Target, cuts_of, micros, work_out
from telemetry.dimensions import MEASURES, convertible, scale
from telemetry.units import units
from twin.errors import Invalid

SECOND = 1_000_000
INPUTS = {"a": Input("number", "KiloW"), "t": Input("number", "DEG_C"), "on": Input("bool"), "mode": Input("enum")}


def second_by_second(series: Series, second: int) -> float | None:
    """The value in the middle of a second, worked out the slow way; None: nothing is known."""
    at = second * SECOND + SECOND // 2
    before = [i for i in range(len(series.ts)) if series.ts[i] <= at]
    if not before or series.quality[before[-1]] >= 2 or at >= series.ts[before[-1]] + series.hold_us:
        return None
    i = before[-1]
    value = float(series.num[i])
    if series.interpolate and i + 1 < len(series.ts):
        after = int(series.ts[i + 1])
        if after - series.ts[i] <= series.hold_us and series.quality[i + 1] < 2:
            value += (float(series.num[i + 1]) - value) * (at - int(series.ts[i])) / (after - int(series.ts[i]))
    return value


def _low(value: float | None) -> bool:
    return value is not None and value <= 10


@pytest.mark.parametrize("interpolate", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_means_areas_times_and_edges_are_what_a_count_by_seconds_gives(seed: int, interpolate: bool) -> None:
    random = Random(seed)
    seconds = sorted(random.sample(range(-60, 700), 25))
    num = np.array([random.choice((0.0, 1.0, 15.0, 21.0)) for _ in seconds])
    quality = np.array([random.choice((0, 0, 0, 1, 2)) for _ in seconds])
    series = Series(np.array(seconds, np.int64) * SECOND, num, quality, 45 * SECOND, interpolate)
    edges = np.arange(0, 601, 60) * SECOND
    pieces = pieces_of(series, edges)
    found = {
        "mean": mean(pieces),
        "area": area(pieces),
        "cold": degree_hours(pieces, 18.0, heating=True),
        "hot": degree_hours(pieces, 18.0, heating=False),
        "run": run_hours(pieces, 10.0, None),
    }
    for bucket in range(10):
        slow = [second_by_second(series, s) for s in range(bucket * 60, bucket * 60 + 60)]
        known = np.array([value for value in slow if value is not None])
        assert found["mean"].covered[bucket] == pytest.approx(len(known) / 60)
        if not len(known):
            assert not found["mean"].known[bucket] and np.isnan(found["area"].value[bucket])
            continue
        assert found["mean"].value[bucket] == pytest.approx(known.mean())
        assert found["area"].value[bucket] == pytest.approx(known.sum() / 3600)
        # Where a line crosses the base within a second, counting by seconds is off by a little.
        near = 1e-9 if not interpolate else 2e-3
        assert found["cold"].value[bucket] == pytest.approx(np.maximum(18 - known, 0).sum() / 3600, abs=near)
        assert found["hot"].value[bucket] == pytest.approx(np.maximum(known - 18, 0).sum() / 3600, abs=near)
        if not interpolate:
            assert found["run"].value[bucket] == pytest.approx((known > 10).sum() / 3600)
        if len(known) < 60:
            assert found["mean"].quality[bucket] >= 1
    if not interpolate:
        on = [second_by_second(series, s) for s in range(-60, 600)]
        rises = [s - 60 for s in range(1, 660) if (on[s] or 0) > 10 and _low(on[s - 1])]
        counted = starts(series, edges, 10.0, None)
        assert np.nansum(counted.value) == len([s for s in rises if s >= 0])


def test_a_day_on_which_the_clocks_change_has_23_hours_and_is_worked_out_as_one() -> None:
    zone = ZoneInfo("Europe/Berlin")
    rule = Rule(kind="run_hours", every="1d")
    cuts = cuts_of(rule, zone, datetime(2026, 3, 28, 0, tzinfo=zone), datetime(2026, 3, 30, 12, tzinfo=zone))
    edges = np.array([micros(cut) for cut in cuts], np.int64)
    series = Series(edges[:1], np.array([1.0]), np.array([0]), 30 * 86_400 * SECOND)
    feed = Feed(Source("x", 1, "x", "bool", None), hold=cuts[-1] - cuts[0], interpolate=False)
    made = work_out(Target(rule, "number", "HR", zone), [feed], [series], edges)
    assert made.num.tolist() == [24.0, 23.0, 24.0]
    clock = Rule(kind="expression", expression="x && hour >= 8 && weekday <= 5", every="1h")
    moment = datetime(2026, 7, 3, 5, 0, tzinfo=UTC)  # Friday, 07:00 in Berlin
    cuts = cuts_of(clock, zone, moment, datetime(2026, 7, 3, 8, 0, tzinfo=UTC))
    edges = np.array([micros(cut) for cut in cuts], np.int64)
    series = Series(edges[:1], np.array([1.0]), np.array([0]), 30 * 86_400 * SECOND)
    made = work_out(Target(clock, "bool", None, zone), [feed], [series], edges)
    assert made.num.tolist() == [0.0, 1.0, 1.0]
    assert last(pieces_of(series, edges)).value.tolist() == [1.0, 1.0, 1.0]


def test_every_unit_with_a_size_has_one_dimension_and_converts_there_and_back() -> None:
    assert MEASURES.keys() <= units().keys()
    assert scale("DEG_F", "DEG_C") == pytest.approx((5 / 9, -160 / 9)) and scale("MegaW", "W") == (1e6, 0.0)
    assert convertible("KiloW-HR", "MegaJ") and not convertible("KiloW-HR", "KiloW")
    for code, measure in MEASURES.items():
        for other in (each for each in MEASURES if MEASURES[each].powers == measure.powers):
            (a, b), (c, d) = scale(code, other), scale(other, code)
            assert c * (a * 7.0 + b) + d == pytest.approx(7.0)


WORDS = [
    "a",
    "t",
    "on",
    "mode",
    "1",
    "2.5e3",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    "?",
    ":",
    "&&",
    ">",
    "==",
    "!",
    "'x'",
    "hour",
]


@settings(max_examples=60, deadline=None)
@given(
    st.text("at on+-*/<>=!&|?:(),.'\"0123456789e[]{}%\\\n\x00é", max_size=60)
    | st.lists(st.sampled_from([*WORDS, *FUNCTIONS, ",", "map", "matches"]), max_size=25).map(" ".join)
)
def test_any_text_is_an_expression_or_a_clear_error(text: str) -> None:
    try:
        found = compile_expression(text, INPUTS, kind="number", unit=None)
    except Invalid as error:
        code, said = error.code, error.text("en")
    else:
        columns: dict[str, list[Any]] = {"a": [3.0], "t": [21.0], "on": [True], "mode": ["x"], "hour": [8.0]}
        columns["weekday"] = [1.0]
        value = found.values(columns, 1)[0]
        assert value is None or isinstance(value, float | int)
        return
    assert code.startswith("derived.") and code not in said


def test_what_could_take_long_or_reach_out_is_refused_before_it_runs() -> None:
    bad = [
        "[1, 2].map(x, x)", "a.matches('(a+)+$')", "matches('a', 'a')", "all(a)", "__import__('os')", "open('x')",
        "(" * 400 + "a" + ")" * 400, "-" * 900 + "a", "a ? a : " * 120 + "a", "a + " * 400 + "a", "{'a': 1}", "a[0]",
    ]  # fmt: skip
    for text in bad:
        with pytest.raises(Invalid):
            compile_expression(text, INPUTS, kind="number", unit=None)
    # The longest one there may be costs next to nothing.
    longest = compile_expression("a+" * ((MAX_LENGTH - 1) // 2) + "a", INPUTS, kind="number", unit="KiloW")
    begun = time.process_time()
    assert longest.values({"a": [1.0] * 100}, 100) == [float(MAX_LENGTH // 2)] * 100
    assert time.process_time() - begun < 2.0


def test_a_way_round_is_found_however_it_is_reached() -> None:
    assert circle_from(1, {1: [1]}) == [1, 1]
    assert circle_from(1, {1: [2, 3], 3: [4], 4: [2, 1], 2: []}) == [1, 3, 4, 1]
    assert circle_from(1, {1: [2], 2: [3], 3: [2]}) is None
