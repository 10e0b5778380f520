"""Saved reports: their numbers beside known readings, alarms and orders, in a week with an hour that comes twice."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import psycopg
import pytest
from psycopg.types.json import Jsonb

from api.report_making import Reports
from api.report_periods import Days, days_around, last_whole, quota_of
from api.report_runs import ask_for_run, days_of, start_run
from api.reports import ReportDefinition, create_report
from identity.actor import CLI
from spatial.network import Networks
from tests.serving import Server, until
from twin import jobs, places
from twin.db import Conn, Database, row, rows
from twin.settings import Settings

ZONE = ZoneInfo("Europe/Berlin")
WEEK = [date(2025, 10, 20), date(2025, 10, 26)]  # its Sunday has 25 hours
START = datetime(2025, 10, 19, 22, tzinfo=UTC)  # Monday 00:00 by the clock there
END = datetime(2025, 10, 26, 23, tzinfo=UTC)  # the next one, an hour later than seven days
HOUR = timedelta(hours=1)
HOURS = 169


def temperature(hour: int) -> float:
    """Of each hour of the week: 18 and 24 by turns of a day, 30 in the hours of the night that comes twice."""
    if START + hour * HOUR in (datetime(2025, 10, 26, 0, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC)):
        return 30.0
    return 18.0 if hour // 24 % 2 == 0 else 24.0


def send(client: httpx.Client, readings: list[dict[str, Any]]) -> None:
    told = client.post("/readings", json={"readings": readings}).raise_for_status().json()
    assert told["rejected"] == []


@pytest.fixture(scope="module")
def building(server: Server) -> str:
    """A building in Berlin with a temperature of each hour, silent for ten of them on Tuesday, and a meter."""
    with server.client() as client:
        client.post("/sites", json={"name": "Berlin", "time_zone": "Europe/Berlin"}).raise_for_status()
        made = client.post("/buildings", json={"name": "Reported", "site": "Berlin"}).raise_for_status().json()["id"]
        points: dict[str, dict[str, Any]] = {
            "reported.t": {"unit": "DEG_C", "expected_interval": 3600},
            "reported.slow": {"expected_interval": 10},
            "reported.meter": {"unit": "KiloW-HR", "brick_class": "Energy_Sensor"},
        }
        for key, about in points.items():
            point = {"key": key, "name": key, "building": made, "kind": "number", **about}
            client.post("/points", json=point).raise_for_status()
        spoken = [hour for hour in range(HOURS) if hour not in range(30, 40)]
        send(
            client,
            [{"point": "reported.t", "ts": (START + n * HOUR).isoformat(), "value": temperature(n)} for n in spoken],
        )
        slow = [(START + n * HOUR / 12).isoformat() for n in range(288) if n not in range(73, 108)]  # of a day
        send(client, [{"point": "reported.slow", "ts": at, "value": 1.0} for at in slow])
        meter = [(START - 168 * HOUR, 100.0), *((START + n * HOUR, 170.0 + n) for n in (*range(0, 168, 24), HOURS))]
        send(client, [{"point": "reported.meter", "ts": at.isoformat(), "value": n} for at, n in meter])
        quota = {"medium": "electricity", "year": 2025, "months": [None] * 9 + [310.0, None, None]}
        client.put(f"/buildings/{made}/quotas", json=quota).raise_for_status()
    return str(made)


@pytest.fixture(scope="module")
def worked(server: Server, building: str) -> None:
    """Alarms and orders of that week, as the engine and people leave them."""
    with server.client() as client:
        rule = {"name": "Too warm", "point": "reported.t", "kind": "high", "limit": 26, "severity": "high"}
        client.post("/alarm-rules", json=rule).raise_for_status()
    alarms: list[tuple[Any, ...]] = [  # severity, raised, acknowledged, returned, closed: hours after the start
        ("high", 1, 1.1, 2, 2),
        ("high", 5, 8, 6, 8),
        ("low", 100, None, None, None),
        ("critical", -3, None, None, None),
        ("low", 200, None, None, None),
    ]
    orders = [  # priority, origin, created, due, done, closed, state
        ("high", "alarm", 2, 10, 9, 12, "verified"),
        ("high", "manual", 3, 10, 30, 31, "verified"),
        ("low", "manual", 4, 50, None, None, "open"),
        ("low", "plan", -50, None, 20, None, "done"),
        ("medium", "manual", 6, None, None, 7, "cancelled"),
    ]

    def at(hours: float | None) -> datetime | None:
        return None if hours is None else START + hours * HOUR

    assert server.database
    with psycopg.connect(server.database) as conn:
        ids = conn.execute(
            "SELECT p.handle, r.id FROM point p JOIN alarm_rule r ON r.point_id = p.handle WHERE p.key = 'reported.t'"
        ).fetchone()
        assert ids is not None
        for severity, *times in alarms:
            raised, acked, returned, closed = map(at, times)
            if closed is None:  # one open alarm a rule: the others get rules of their own
                made = conn.execute(
                    """INSERT INTO alarm_rule (building_id, point_id, name, kind, alarm_setpoint, severity, enabled)
                       VALUES (%s, %s, 'Never', 'high', 1e9, %s, false) RETURNING id""",
                    (building, ids[0], severity),
                ).fetchone()
            else:
                made = (ids[1],)
            assert made is not None
            conn.execute(
                """INSERT INTO alarm (rule_id, point_id, building_id, severity, code, message, value, raised_at,
                     rose_at, acked_at, acked, returned_at, active, closed_at)
                   VALUES (%s, %s, %s, %s, 'alarm.high', 'Too warm', 30, %s, %s, %s, %s, %s, %s, %s)""",
                (made[0], ids[0], building, severity, raised, raised, acked, acked is not None, returned,
                 returned is None, closed),
            )  # fmt: skip
        for priority, origin, created, due, done, ended, state in orders:
            conn.execute(
                """INSERT INTO work_order (building_id, title, priority, origin, created_at, due_at, done_at, closed_at,
                     state, created_by) VALUES (%s, 'Look', %s, %s, %s, %s, %s, %s, %s, 'cli')""",
                (building, priority, origin, at(created), at(due), at(done), at(ended), state),
            )


WEEKLY: dict[str, Any] = {
    "name": "Week",
    "period": "week",
    "sections": [
        {"kind": "text", "text": "=1+1"},
        {"kind": "overview"},
        {"kind": "use"},
        {"kind": "chart", "points": ["reported.t"], "title": "Temperature"},
        {
            "kind": "points",
            "points": [
                {"point": "reported.t"},
                {"point": "reported.t", "low": 20, "high": 29},
                {"point": "reported.slow"},
            ],
        },
        {"kind": "alarms", "ack_within": 1800},
        {"kind": "orders"},
    ],
}


def made(client: httpx.Client, report: str, **body: Any) -> dict[str, Any]:
    """A run of a report, when it is made."""
    asked = client.post(f"/reports/{report}/runs", json=body)
    assert asked.status_code == 202, asked.text
    return finished(client, asked.json()["id"])


def finished(client: httpx.Client, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told: dict[str, Any] = client.get(f"/report-runs/{run}").raise_for_status().json()
        return None if told["state"] == "waiting" else told

    found: dict[str, Any] = until(look, 60)
    return found


@pytest.fixture(scope="module")
def report(server: Server, building: str, worked: None) -> Iterator[str]:
    with server.client() as client:
        answer = client.post(f"/buildings/{building}/reports", json=WEEKLY)
        assert answer.status_code == 201, answer.text
        yield str(answer.json()["id"])


@pytest.fixture(scope="module")
def week(server: Server, report: str) -> dict[str, Any]:
    with server.client() as client:
        return made(client, report, day="2025-10-23")


def section(run: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in run["snapshot"]["sections"] if each["kind"] == kind)
    return found


@pytest.mark.clause("7.1.3-2")
@pytest.mark.clause("9.1.4-2")
@pytest.mark.clause("7.7.4c")
def test_a_week_with_an_hour_that_comes_twice_tells_what_was_read(week: dict[str, Any]) -> None:
    assert week["state"] == "done" and not week["so_far"], week["error"]
    assert [week["first_day"], week["last_day"]] == [each.isoformat() for each in WEEK]
    snapshot = week["snapshot"]
    assert (snapshot["start"], snapshot["end"]) == ("2025-10-19T22:00:00Z", "2025-10-26T23:00:00Z")
    line = section(week, "points")["points"][0]
    known = [temperature(n) for n in range(HOURS) if n not in range(30, 40)]
    held = [*known, *[temperature(29)] * 10]  # by the time-weighted mean the value before a gap holds
    assert line["count"] == len(known) == 159
    assert (line["min"], line["max"]) == (18.0, 30.0)
    assert line["mean"] == pytest.approx(sum(held) / HOURS)
    assert (line["gaps"], line["silent"], line["longest_gap"]) == (1, 11 * 3600, 11 * 3600), "hour 29 to hour 40"
    assert line["longest_gap_from"] == "2025-10-21T03:00:00Z"
    assert line["covered"] == pytest.approx(158 / 169)
    assert (line["limits"], line["low"], line["high"]) == ("report", 20, 29), "of two wishes the last one counts"
    inside = sum(20 <= temperature(n) <= 29 for n in range(HOURS) if n not in range(29, 40))
    assert line["within"] == pytest.approx(inside / 158)


def test_who_speaks_more_rarely_than_was_said_is_slow_and_not_silent(week: dict[str, Any]) -> None:
    line = section(week, "points")["points"][1]
    assert (line["point"], line["count"], line["limits"], line["within"]) == ("reported.slow", 253, None, None)
    assert (line["gaps"], line["longest_gap"]) == (2, (HOURS - 24) * 3600 + 300), (
        "three hours, and the rest of the week"
    )
    assert line["silent"] - line["longest_gap"] == 3 * 3600


@pytest.mark.clause("8.4.8c")
def test_energy_is_told_beside_the_week_before_and_its_share_of_the_months_quota(week: dict[str, Any]) -> None:
    (use,) = section(week, "use")["media"]
    assert (use["used"]["amount"], use["before"], use["year_before"]) == (pytest.approx(169), pytest.approx(70), None)
    assert use["quota"] == pytest.approx(310 / 31 * 7) and use["state"] == "over"
    days = [each["amount"] for each in use["parts"]]
    assert days == pytest.approx([24.0] * 6 + [25.0]), "the day on which the clocks change is an hour longer"
    chart = section(week, "chart")
    (series,) = chart["series"]
    assert chart["bucket"] == "30m" and len(chart["ts"]) == 338 and series["point"] == "reported.t"
    warm = [at for at, value in zip(chart["ts"], series["values"]["max"], strict=True) if value == 30.0]
    assert warm == ["2025-10-26T00:00:00Z", "2025-10-26T01:00:00Z"], "both hours from two to three"


@pytest.mark.clause("7.7.1c")
def test_alarms_and_orders_are_counted_by_when_they_were(week: dict[str, Any]) -> None:
    alarms = section(week, "alarms")
    assert (alarms["raised"], alarms["timely"], alarms["late"], alarms["open"]) == (3, 1, 2, 2)
    assert alarms["seconds_to_acknowledge"] == pytest.approx((0.1 + 3) / 2 * 3600)
    by = {
        each["severity"]: (each["raised"], each["timely"], each["late"], each["open"]) for each in alarms["severities"]
    }
    assert by == {"critical": (0, 0, 0, 1), "high": (2, 1, 1, 0), "low": (1, 0, 1, 1)}
    assert [each["severity"] for each in alarms["longest"]] == ["critical", "low", "high", "high"]
    assert alarms["longest"][0]["seconds"] == (HOURS + 3) * 3600
    assert [each["severity"] for each in alarms["standing"]] == ["critical", "low"]
    assert {each["name"]: each["count"] for each in alarms["rules"]} == {"Too warm": 2, "Never": 1}
    assert alarms["classes"] == [{"name": "", "count": 3}]
    orders = section(week, "orders")
    told = ("created", "done", "timely", "timed", "verified", "cancelled", "open", "overdue")
    assert [orders[name] for name in told] == [4, 3, 1, 2, 2, 1, 1, 1]
    assert orders["seconds_to_done"] == pytest.approx((7 + 27 + 70) / 3 * 3600)
    assert {each["name"]: (each["created"], each["done"]) for each in orders["origins"]} == {
        "alarm": (1, 1), "manual": (3, 1), "plan": (0, 1),
    }  # fmt: skip
    assert [each["overdue"] for each in orders["oldest"]] == [True]


def test_what_comes_late_changes_the_next_run_and_never_one_that_was_made(
    server: Server, client: httpx.Client, report: str, week: dict[str, Any]
) -> None:
    late = [{"point": "reported.t", "ts": (START + n * HOUR).isoformat(), "value": 40.0} for n in range(30, 40)]
    send(client, late)
    again = made(client, report, day="2025-10-20")
    line = section(again, "points")["points"][0]
    assert (line["count"], line["gaps"], line["max"], line["covered"]) == (169, 0, 40.0, 1.0)
    kept = client.get(f"/report-runs/{week['id']}").raise_for_status().json()
    assert kept == week
    assert server.database
    with psycopg.connect(server.database) as conn:
        found = conn.execute("SELECT snapshot FROM report_run WHERE id = %s", (week["id"],)).fetchone()
        assert found is not None and hashlib.sha256(found[0].encode()).hexdigest() == week["digest"]
        told = conn.execute("SELECT after FROM audit WHERE object = %s AND action = 'report.made'",
                            (f"report_run:{week['id']}",)).fetchone()  # fmt: skip
        assert told is not None and told[0]["sha256"] == week["digest"], "the trail knows what was told"
        with pytest.raises(psycopg.errors.RaiseException):
            conn.execute("UPDATE report_run SET snapshot = '{}' WHERE id = %s", (week["id"],))


def test_a_run_goes_out_as_tables(client: httpx.Client, week: dict[str, Any]) -> None:
    path = f"/report-runs/{week['id']}/tables"
    answer = client.get(f"{path}.csv", params={"lang": "en"}).raise_for_status()
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert ["Building", "Reported"] in lines and ["'=1+1"] in lines, "text is never a formula"
    one = client.get(f"{path}.csv", params={"lang": "zh", "section": 6}).raise_for_status().text
    assert one.startswith("\ufeff工单") and "期末逾期,1" in one
    assert client.get(f"{path}.csv", params={"section": 7}).json()["code"] == "report.no_section"
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(f"{path}.xlsx", params={"lang": "en"}).raise_for_status().content)
    )
    sheet = book["Points"]
    header = [cell.value for cell in sheet[1]]
    values = dict(zip(header, [cell.value for cell in sheet[2]], strict=True))
    assert (values["Readings"], values["Most"], values["Gaps"]) == (159, 30, 1)
    assert values["Longest gap from"] == "2025-10-21 05:00+02:00"
    times = [cell.value for cell in book["Temperature"]["A"]]
    assert {"2025-10-26 02:00+02:00", "2025-10-26 02:00+01:00"} <= set(times)


@pytest.mark.clause("7.7.2c")
@pytest.mark.clause("7.7.3c")
@pytest.mark.clause("7.3.6e-2")
def test_a_schedule_makes_each_report_once_and_tells_whom_it_is_for(
    server: Server, client: httpx.Client, building: str
) -> None:
    starts = datetime.now(UTC) + timedelta(days=1)
    daily = {
        "name": "Every day", "period": "day", "sections": [{"kind": "orders"}], "shared": True, "tell": "administrator",
        "schedule": {"rrule": "FREQ=DAILY", "starts_at": starts.isoformat()},
    }  # fmt: skip
    answer = client.post(f"/buildings/{building}/reports", json=daily)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert datetime.fromisoformat(told["next_due"]) == starts.replace(microsecond=0)
    assert server.database
    with psycopg.connect(server.database) as conn:  # as if the server had been away for three days
        due = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3, hours=1)
        conn.execute("UPDATE report SET starts_at = %s, next_due = %s WHERE id = %s", (due, due, told["id"]))
    runs = f"/buildings/{building}/report-runs"

    def all_made() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = client.get(runs, params={"report": told["id"]}).raise_for_status().json()["items"]
        return items if len(items) == 4 and all(each["state"] == "done" for each in items) else None

    items = until(all_made, 60)
    days = [date.fromisoformat(each["first_day"]) for each in items]
    first = due.astimezone(ZONE).date() - timedelta(days=1)
    assert sorted(days) == [first + timedelta(days=n) for n in range(4)], "each of the days that were missed"
    after = client.get(f"/reports/{told['id']}").json()["next_due"]
    assert datetime.fromisoformat(after) > datetime.now(UTC)
    with psycopg.connect(server.database) as conn:
        said = conn.execute(
            "SELECT count(*) FROM notification WHERE code = 'notification.report.made' AND building_id = %s",
            (building,),
        ).fetchone()
    assert said == (4,)
    client.delete(f"/reports/{told['id']}").raise_for_status()
    assert client.get(f"/reports/{told['id']}").status_code == 404
    assert len(client.get(runs, params={"report": told["id"]}).json()["items"]) == 4, "what was made stays"


def test_a_run_that_fails_says_why(server: Server, client: httpx.Client, building: str) -> None:
    server.twin("account", "add", "gone", "--role", "owner", "--password-stdin", stdin="correct horse battery\n")
    with httpx.Client(base_url=server.api, timeout=60) as owner:
        login = owner.post("/session", json={"name": "gone", "password": "correct horse battery"}).raise_for_status()
        owner.headers["x-csrf-token"] = owner.get("/session").json()["csrf_token"]
        assert login.status_code == 200
        one = {"name": "Mine", "period": "month", "sections": [{"kind": "alarms"}]}
        mine = owner.post(f"/buildings/{building}/reports", json=one).raise_for_status().json()
        assert owner.post(f"/buildings/{building}/reports", json=one).json()["code"] == "report.name_taken"
        shared = owner.post(f"/buildings/{building}/reports", json=one | {"name": "Ours", "shared": True})
        assert shared.status_code == 403
        assert client.get(f"/reports/{mine['id']}").status_code == 404, "what is not shared is nobody else's"
        run = made(owner, mine["id"])
        assert run["state"] == "done"
        assert client.get(f"/report-runs/{run['id']}").status_code == 404
    assert server.database
    with psycopg.connect(server.database) as conn:
        conn.execute("UPDATE account SET disabled = true WHERE name = 'gone'")
        due = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        conn.execute(
            "UPDATE report SET shared = true, starts_at = %s, next_due = %s WHERE id = %s", (due, due, mine["id"])
        )
    runs = f"/buildings/{building}/report-runs"

    def failed() -> dict[str, Any] | None:
        items = client.get(runs, params={"report": mine["id"]}).raise_for_status().json()["items"]
        return next((each for each in items if each["state"] == "failed"), None)

    told = until(failed, 60)
    assert told["error"]["code"] == "report.owner_gone" and told["error"]["params"] == {"owner": "gone"}
    why = client.get(f"/report-runs/{told['id']}", headers={"accept-language": "en"}).json()["message"]
    assert why.startswith("gone, for whom the report is made, may not sign in any more")
    assert client.get(f"/report-runs/{told['id']}/tables.csv").json()["code"] == "report.not_made"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"period": "range"}, "report.days"),
        ({"first_day": "2025-01-01"}, "report.days"),
        ({"period": "range", "first_day": "2025-02-01", "last_day": "2025-01-01"}, "report.range"),
        ({"period": "range", "first_day": "2010-02-01", "last_day": "2025-01-01"}, "report.range"),
        ({"sections": [{"kind": "chart", "points": ["nobody.knows"]}]}, "point.unknown"),
        ({"sections": [{"kind": "points", "points": [{"point": "reported.t", "low": 2, "high": 1}]}]}, "report.limits"),
        ({"schedule": {"rrule": "FREQ=HOURLY", "starts_at": "2026-01-01T00:00:00Z"}}, "report.too_often"),
        ({"schedule": {"rrule": "FREQ=NEVER", "starts_at": "2026-01-01T00:00:00Z"}}, "plan.rrule"),
        ({"schedule": {"starts_at": "2024-01-01T00:00:00Z"}}, "report.never_due"),
        ({"schedule": {"rrule": "FREQ=DAILY", "starts_at": "1924-01-01T00:00:00Z"}}, "report.schedule"),
        ({"tell": "administrator"}, "report.tell_private"),
        ({"tell": "nobody-at-all", "shared": True}, "crew.unknown"),
        ({"sections": []}, "request.invalid"),
        ({"sections": [{"kind": "text", "text": "x"}] * 21}, "request.invalid"),
        ({"sections": [{"kind": "alarms", "ack_within": 1}]}, "request.invalid"),
    ],
)
def test_what_no_report_can_be_made_of_is_said(
    client: httpx.Client, building: str, change: dict[str, Any], code: str
) -> None:
    base = {"name": "Bad", "period": "day", "sections": [{"kind": "orders"}]}
    answer = client.post(f"/buildings/{building}/reports", json=base | change)
    assert (answer.status_code, answer.json()["code"]) == (404 if code == "point.unknown" else 422, code), answer.text


def test_days_yet_to_come_are_not_told_of(client: httpx.Client, report: str) -> None:
    for day, code in (("2098-01-01", "report.future"), ("1999-01-01", "report.day")):
        assert client.post(f"/reports/{report}/runs", json={"day": day}).json()["code"] == code
    today = datetime.now(ZONE).date()
    run = made(client, report, day=today.isoformat())
    assert run["so_far"] and run["first_day"] <= today.isoformat() <= run["last_day"]


def test_periods_are_cut_on_the_calendar_of_the_site() -> None:
    day = days_around("day", date(2025, 10, 26), ZONE)
    assert (day.end - day.start) == 25 * HOUR
    assert days_around("week", date(2025, 10, 26), ZONE).first == WEEK[0]
    quarter = days_around("quarter", date(2025, 11, 30), ZONE)
    assert (quarter.first, quarter.last) == (date(2025, 10, 1), date(2025, 12, 31))
    assert quarter.before().first == date(2025, 7, 1) and quarter.a_year_before().last == date(2024, 12, 31)
    assert days_around("week", WEEK[0], ZONE).a_year_before().first.weekday() == 0
    leap = days_around("day", date(2024, 2, 29), ZONE)
    assert leap.a_year_before().first == date(2023, 2, 28)
    span = Days("range", date(2025, 3, 1), date(2025, 3, 10), ZONE)
    assert (span.before().first, span.before().last) == (date(2025, 2, 19), date(2025, 2, 28))
    at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # half past midnight of the first of January
    assert last_whole("month", at, ZONE).first == date(2025, 12, 1)
    assert last_whole("year", at, ZONE).first == date(2025, 1, 1)
    months = {(2025, 10): 310.0, (2025, 11): None}
    whole = days_around("month", date(2025, 10, 1), ZONE)
    assert quota_of(whole, whole.end, months) == pytest.approx(310)
    assert quota_of(whole, whole.start + 36 * HOUR, months) == pytest.approx(15)
    assert quota_of(quarter, quarter.end, months) is None


ALARMS = ReportDefinition.model_validate({"name": "Alarms", "period": "week", "sections": [{"kind": "alarms"}]})


async def asked(conn: Conn, name: str, now: datetime) -> UUID:
    """A run of a new report, asked for at `now`, with its job."""
    building = (await places.find_building(conn, "Kept") or await places.create_building(conn, "Kept")).id
    definition = ALARMS.model_copy(update={"name": name})
    report = await create_report(conn, CLI, building, definition, now)
    run = await ask_for_run(conn, CLI, report, days_of(report, None, now), now)
    assert run is not None
    await start_run(conn, run)
    return run


async def states(db: Database) -> dict[UUID, str]:
    async with db.connection() as conn:
        return {each["id"]: each["state"] for each in await rows(conn, "SELECT id, state FROM report_run")}


async def test_runs_go_when_their_time_is_over_and_never_while_they_are_awaited(
    db: Database, settings: Settings
) -> None:
    now = datetime.now(UTC)
    kept = settings.model_copy(update={"report_keep": timedelta(days=30)})
    reports = Reports(db, kept, Networks(db, keep=1, tolerance=0.01), clock=lambda: now)
    async with db.transaction() as conn:
        runs = {}
        for name, days, state in (("old", 31, "failed"), ("new", 29, "failed"), ("awaited", 31, "waiting")):
            runs[name] = await asked(conn, name, now - timedelta(days=days))
            error = Jsonb({"code": "report.cancelled"}) if state == "failed" else None
            await conn.execute("UPDATE report_run SET state = %s, error = %s WHERE id = %s", (state, error, runs[name]))
            await conn.execute(
                "UPDATE report SET deleted_at = asked_at FROM report_run u WHERE report.id = u.report_id"
            )
    await reports.run_due()
    assert await states(db) == {runs["new"]: "failed", runs["awaited"]: "waiting"}
    async with db.connection() as conn:
        left = {each["name"] for each in await rows(conn, "SELECT name FROM report")}
    assert left == {"new", "awaited"}, "a deleted report goes with its last run"


async def test_a_run_whose_worker_keeps_dying_is_given_up_and_says_so(db: Database, settings: Settings) -> None:
    now = datetime.now(UTC)
    reports = Reports(db, settings, Networks(db, keep=1, tolerance=0.01), clock=lambda: now)
    async with db.transaction() as conn:
        run = await asked(conn, "Unlucky", now)
        for _ in range(jobs.ATTEMPTS):  # a worker takes it and dies, each time it is put back
            await conn.execute("UPDATE job SET state = 'running', worker = 1, attempts = attempts + 1")
    for _ in range(2):  # a second look changes nothing
        await jobs.recover(db)
        await reports.run_due()
    assert await states(db) == {run: "failed"}
    async with db.connection() as conn:
        told = await row(conn, "SELECT error FROM report_run WHERE id = %s", (run,))
        trail = await rows(conn, "SELECT action FROM audit WHERE action = 'report.failed'")
    assert told is not None and told["error"]["code"] == "job.interrupted" and len(trail) == 1
