"""Rate limits on a shared table, and usage in batches. A `Rates` stands for a server process."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import keys
from identity.actor import CLI
from identity.rate import Quota, Rates, network_of
from identity.usage import BOUNDS, UsageRecorder, prune_usage, quantile, usage_by_hour, usage_by_route, usage_of_keys
from twin.db import Database, row, rows

NOW = datetime(2026, 5, 4, 8, 59, 59, tzinfo=UTC)


async def admitted(rates: Rates, quota: Quota, calls: int, who: str = "key/1") -> int:
    return sum([(await rates.spend(quota, who)).admitted for _ in range(calls)])


@pytest.mark.clause("6.1.5b")
async def test_one_process_admits_exactly_the_limit(db: Database) -> None:
    rates = Rates(db)
    assert await admitted(rates, Quota("calls", 100), 150) == 100
    assert await admitted(rates, Quota("calls", 100), 5, "key/2") == 5
    standing = await rates.spend(Quota("calls", 100), "key/1")
    assert (standing.admitted, standing.remaining) == (False, 0)
    assert 1 <= standing.reset <= 60
    assert standing.policy == '"calls";q=100;w=60'
    assert standing.state == f'"calls";r=0;t={standing.reset}'


async def test_a_hundred_calls_at_once_are_no_way_round_the_limit(db: Database) -> None:
    rates = Rates(db)
    for limit in (5, 40):
        standings = await asyncio.gather(*(rates.spend(Quota(f"of {limit}", limit), "key/1") for _ in range(100)))
        assert sum(each.admitted for each in standings) == limit


@pytest.mark.parametrize("limit", [1, 7, 19])
async def test_processes_keep_a_small_limit_together_exactly(db: Database, limit: int) -> None:
    processes, quota = [Rates(db) for _ in range(3)], Quota("calls", limit)
    total = 0
    for turn in range(3 * limit + 3):
        total += await admitted(processes[turn % 3], quota, 1)
    assert total == limit


async def test_processes_exceed_a_limit_by_at_most_a_tenth_each(db: Database) -> None:
    processes, quota = [Rates(db) for _ in range(3)], Quota("calls", 100)
    total = 0
    for turn in range(450):
        total += await admitted(processes[turn % 3], quota, 1)
    assert 100 <= total <= 120
    for each in processes:
        await each.storage.settle()
    counted = await table(db)
    assert sum(counted.values()) == total
    assert [await admitted(each, quota, 1) for each in processes] == [0, 0, 0]


async def table(db: Database) -> dict[str, int]:
    async with db.connection() as conn:
        found = await rows(conn, "SELECT name, sum(n)::int AS n FROM rate_window GROUP BY name")
        return {each["name"]: each["n"] for each in found}


async def test_a_window_that_ended_fades_out_while_the_next_one_runs(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, quota, clock = Rates(db), Quota("calls", 100), [60_000.0]
    monkeypatch.setattr(rates.storage, "now", lambda: clock[0])
    assert await admitted(rates, quota, 101) == 100
    clock[0] = 60_060.0  # the next window begins: all of the last one counts
    assert await admitted(rates, quota, 5) == 0
    clock[0] = 60_075.0  # a quarter later, a quarter of it is free
    assert await admitted(rates, quota, 50) == 25
    clock[0] = 60_180.0  # two windows later nothing is left of it
    assert await admitted(rates, quota, 150) == 100


async def test_what_was_counted_before_a_window_ended_still_reaches_the_others(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other, quota, clock = Rates(db), Rates(db), Quota("calls", 1000), [60_059.0]
    for each in (mine, other):
        monkeypatch.setattr(each.storage, "now", lambda: clock[0])
    await admitted(mine, quota, 90)
    clock[0] = 60_060.0
    await admitted(mine, quota, 1)
    await mine.storage.settle()
    await admitted(other, quota, 1)
    await other.storage.settle()
    standing = await other.look(quota, "key/1")
    assert standing.remaining == 1000 - 90 - 2


async def test_without_the_database_a_process_keeps_the_limit_by_itself_and_settles_later(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, quota = Rates(db), Quota("calls", 50)
    exchange = rates.storage._exchange

    async def away(sums: dict[tuple[str, int, int], int]) -> None:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(rates.storage, "_exchange", away)
    assert await admitted(rates, quota, 80) == 50
    with pytest.raises(psycopg.OperationalError):
        await rates.storage.settle()
    monkeypatch.setattr(rates.storage, "_exchange", exchange)
    await rates.storage.settle()
    assert list((await table(db)).values()) == [50]


async def test_counts_that_faded_out_are_deleted(db: Database) -> None:
    rates = Rates(db)
    await rates.spend(Quota("calls", 5), "key/1")
    async with db.connection() as conn:
        await conn.execute("UPDATE rate_window SET expires_at = now() - interval '1 second'")
    await rates.storage.prune()
    assert await table(db) == {}


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("a forged one", "unknown"),
    ],
)
def test_an_ipv6_line_is_one_address(address: str | None, counts_as: str) -> None:
    assert network_of(address) == counts_as


@pytest.mark.clause("6.1.5d")
async def test_usage_is_summed_by_route_and_hour(db: Database) -> None:
    async with db.transaction() as conn:
        key, _ = await keys.create_key(conn, "bms", "integration", created_by=CLI)
    recorders = [UsageRecorder(db), UsageRecorder(db)]
    for each in recorders:
        for seconds in (0.004, 0.004, 0.3):
            each.record(key.id, "GET /points", 200, seconds, address="192.0.2.7", now=NOW)
        each.record(key.id, "POST /readings", 503, 0.02, address="192.0.2.8", now=NOW + timedelta(seconds=1))
        each.record(key.id, "POST /readings", 429, 0.02, address="192.0.2.8", now=NOW + timedelta(seconds=2))
        await each.flush()
        await each.flush()  # nothing left: nothing is counted twice
    since, until = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    async with db.connection() as conn:
        by_route = await usage_by_route(conn, key.id, since, until)
        by_hour = await usage_by_hour(conn, key.id, since, until)
        total = (await usage_of_keys(conn, [key.id], since, until))[key.id]
        used = await keys.get_key(conn, key.id)
    assert [(each.route, each.figures.calls, each.figures.errors) for each in by_route] == [
        ("GET /points", 6, 0),
        ("POST /readings", 4, 4),
    ]
    assert (by_route[1].figures.failures, by_route[1].figures.refused) == (2, 2)
    assert [(each.hour and each.hour.hour, each.figures.calls) for each in by_hour] == [(8, 6), (9, 4)]
    assert total.calls == 10
    assert total.latency_mean == pytest.approx((4 * 0.004 + 2 * 0.3 + 4 * 0.02) / 10)
    assert total.latency_p95 is not None and 0.2 < total.latency_p95 <= 0.5
    assert (used.used_at, used.used_from) == (NOW + timedelta(seconds=2), "192.0.2.8")


async def test_usage_that_cannot_be_written_is_kept_for_the_next_time(db: Database) -> None:
    async with db.transaction() as conn:
        key, _ = await keys.create_key(conn, "bms", "integration", created_by=CLI)
    usage = UsageRecorder(db)
    usage.record(key.id, "GET /points", 200, 0.01, address=None, now=NOW)
    async with db.connection() as conn:
        await conn.execute("ALTER TABLE api_key_usage RENAME TO away")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await usage.flush()
        usage.record(key.id, "GET /points", 200, 0.01, address=None, now=NOW)
        await conn.execute("ALTER TABLE away RENAME TO api_key_usage")
        await usage.flush()
        found = await row(conn, "SELECT sum(calls)::int AS n FROM api_key_usage")
        assert found == {"n": 2}
        await prune_usage(conn, NOW + timedelta(hours=1))
        assert await row(conn, "SELECT FROM api_key_usage") is None


@given(st.lists(st.floats(0, 29), min_size=1, max_size=50), st.floats(0.05, 1))
def test_a_quantile_lies_in_the_class_of_the_true_one(latencies: list[float], part: float) -> None:
    histogram = [0] * (len(BOUNDS) + 1)
    for each in latencies:
        histogram[next(n for n, bound in enumerate(BOUNDS) if each <= bound)] += 1
    found = quantile(histogram, part)
    wanted = sorted(latencies)[max(0, -int(-len(latencies) * part // 1) - 1)]
    above = next(bound for bound in BOUNDS if wanted <= bound)
    below = max((bound for bound in BOUNDS if bound < wanted), default=0.0)
    assert found is not None
    assert below <= found <= above + 1e-9
    assert quantile([0] * (len(BOUNDS) + 1), part) is None
