"""The tables of a report's run as files: CSV, one table below the other, and XLSX, a sheet each."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi.responses import Response

from api.report_words import Language, word
from ifc_models.tables import Cell, csv_lines, write_xlsx
from twin.errors import NotFound

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title. `section`: which one of the report it belongs to; None: what the report says of itself."""

    section: int | None
    title: str
    header: list[str]
    rows: list[list[Cell]]


@dataclass(frozen=True, slots=True)
class _Writer:
    """Words in a language, and times on the site's clock."""

    lang: Language
    zone: ZoneInfo

    def words(self, *names: str) -> list[str]:
        return [word(name, self.lang) for name in names]

    def time(self, text: str | None) -> str | None:
        """The site's wall clock with its offset: of the hour that comes twice both are told apart."""
        if text is None:
            return None
        return datetime.fromisoformat(text).astimezone(self.zone).isoformat(" ", "minutes")

    def records(self, items: Sequence[Numbers], *names: str) -> list[list[Cell]]:
        return [[self.cell(name, each.get(name)) for name in names] for each in items]

    def cell(self, name: str, value: Any) -> Cell:
        if isinstance(value, str) and name.endswith(("_at", "_from", "start")):
            return self.time(value)
        return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


async def answer(told: Numbers, suffix: Literal["csv", "xlsx"], lang: Language, section: int | None) -> Response:
    """The file of a run, to be saved under the report's name and days. Raises NotFound for a section it has not."""
    tables = tables_of(told, lang)
    if section is not None:
        tables = [table for table in tables if table.section == section]
        if not tables:
            raise NotFound("report.no_section", section=section, count=len(told["sections"]))
    name = quote(f"{told['report']} {told['first_day']}.{suffix}", safe="")
    headers = {"content-disposition": f"attachment; filename=\"report.{suffix}\"; filename*=UTF-8''{name}"}
    if suffix == "csv":
        return Response(_csv(tables).encode(), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(await asyncio.to_thread(_xlsx, tables), media_type=XLSX, headers=headers)


def _csv(tables: Iterable[Table]) -> str:
    blocks = ["".join(csv_lines(None, [[table.title], table.header, *table.rows])) for table in tables]
    return "\ufeff" + "\r\n".join(blocks)


def _xlsx(tables: Iterable[Table]) -> bytes:
    names: dict[str, int] = {}
    sheets = []
    for table in tables:
        names[table.title] = names.get(table.title, 0) + 1
        again = names[table.title]
        sheets.append((f"{table.title[:26]} {again}" if again > 1 else table.title, table.header, table.rows))
    with tempfile.TemporaryDirectory(prefix="twin-report-") as folder:
        path = Path(folder) / "report.xlsx"
        write_xlsx(path, sheets)
        return path.read_bytes()


def tables_of(told: Numbers, lang: Language) -> list[Table]:
    """Every table of a run, the report's own particulars first."""
    write = _Writer(lang, ZoneInfo(told["time_zone"]))
    days = " – ".join(dict.fromkeys([told["first_day"], told["last_day"]]))
    by = told["asked_by"].partition(":")[2] or told["asked_by"]
    about = [told["report"], told["building"], days, write.time(told["made_at"]), by]
    names = write.words("report", "building", "days", "made_at", "asked_by")
    tables = [
        Table(
            None, told["report"], write.words("what", "value"), [list(each) for each in zip(names, about, strict=True)]
        )
    ]
    for number, section in enumerate(told["sections"]):
        title = section.get("title") or word(f"section.{section['kind']}", lang)
        if section.get("withheld"):
            tables.append(Table(number, title, write.words("text"), [[word("withheld", lang)]]))
            continue
        for part, names, rows in _TABLES[section["kind"]](write, section):
            heading = f"{title}: {part}" if part else title
            tables.append(Table(number, heading, names, rows))
    return tables


Part = tuple[str, list[str], list[list[Cell]]]  # what it is of the section, header, rows


def _text(write: _Writer, section: Numbers) -> list[Part]:
    return [("", write.words("text"), [[line] for line in section["text"].splitlines() if line.strip()])]


def _overview(write: _Writer, section: Numbers) -> list[Part]:
    told = section["figures"]
    rows: list[tuple[str, Cell, str]] = [
        ("spaces", told["spaces"], ""),
        ("elements", told["elements"], ""),
        ("area", told["area"], "m²"),
        ("points", told["points"], ""),
        ("points_online", told["points_online"], ""),
        ("alarms_open", sum(each["count"] for each in told["alarms"]), ""),
        ("orders_open", told["orders_open"], ""),
        ("orders_overdue", told["orders_overdue"], ""),
        ("orders_verified_30_days", told["orders_verified_30_days"], ""),
        ("rooms", told["comfort"]["rooms"], ""),
        ("comfortable", told["comfort"]["comfortable"], ""),
        ("mean_temperature", told["comfort"]["mean"], "°C"),
        ("power", told["power"], "kW"),
        ("fire_alarms", told["safety"]["fire"]["alarms"], ""),
        ("lifts_out", sum(each["state"] == "fault" for each in told["safety"]["lifts"]), ""),
    ]
    return [
        (
            "",
            write.words("what", "value", "unit"),
            [[word(name, write.lang), value, unit] for name, value, unit in rows],
        )
    ]


def _use(write: _Writer, section: Numbers) -> list[Part]:
    parts: list[Part] = []
    for medium in section["media"]:
        name = word(medium["medium"], write.lang)
        whole = {**medium, "used": medium["used"]["amount"]}
        amounts = ("used", "before", "year_before", "quota")
        parts.append(
            (
                name,
                write.words("what", "value", "unit"),
                [[word(each, write.lang), whole[each], medium["unit"]] for each in amounts],
            )
        )
        course = write.records(medium["parts"], "start", "amount", "complete")
        parts.append((f"{name}, {word('parts', write.lang)}", write.words("from", "amount", "complete"), course))
        if medium["storeys"]:
            rows = write.records(medium["storeys"], "name", "amount")
            parts.append((f"{name}, {word('by_storey', write.lang)}", write.words("storey", "amount"), rows))
    return parts


def _chart(write: _Writer, section: Numbers) -> list[Part]:
    header = write.words("time")
    columns: list[Sequence[Cell]] = [[write.time(at) for at in section["ts"]]]
    for line in section["series"]:
        unit = f" ({line['unit']})" if line["unit"] else ""
        for name in ("mean", "min", "max"):
            header.append(f"{line['name']}{unit}, {word(name, write.lang)}")
            columns.append(line["values"][name])
    return [("", header, [list(each) for each in zip(*columns, strict=True)])]


_POINT: Final = (
    "point", "name", "place", "unit", "mean", "min", "max", "first", "last", "count", "good", "low", "high", "within",
    "covered", "gaps", "silent", "longest_gap", "longest_gap_from",
)  # fmt: skip


def _points(write: _Writer, section: Numbers) -> list[Part]:
    return [("", write.words(*_POINT), write.records(section["points"], *_POINT))]


def _alarms(write: _Writer, section: Numbers) -> list[Part]:
    graded = [{**each, "severity": word(f"severity.{each['severity']}", write.lang)} for each in section["severities"]]
    names: tuple[str, ...] = ("severity", "raised", "timely", "late", "open")
    parts: list[Part] = [("", write.words(*names), write.records(graded, *names))]
    for part, of, items in (("by_class", "class", section["classes"]), ("by_rule", "rule", section["rules"])):
        rows = write.records(items, "name", "count")
        parts.append((word(part, write.lang), write.words(of, "times"), rows))
    names = ("raised_at", "severity", "message", "element", "storey", "seconds", "open")
    for part in ("longest", "standing"):
        graded = [{**each, "severity": word(f"severity.{each['severity']}", write.lang)} for each in section[part]]
        parts.append((word(part, write.lang), write.words(*names), write.records(graded, *names)))
    return parts


def _orders(write: _Writer, section: Numbers) -> list[Part]:
    totals = (
        "created", "done", "timely", "timed", "verified", "cancelled", "open", "overdue", "seconds_to_done",
        "ratings", "stars",
    )  # fmt: skip
    rows: list[list[Cell]] = [[word(name, write.lang), section[name]] for name in totals]
    parts: list[Part] = [("", write.words("what", "value"), rows)]
    names: tuple[str, ...] = ("name", "created", "done", "timely", "timed", "open", "overdue")
    for part, of, prefix in (("priorities", "priority", "severity"), ("origins", "origin", "origin")):
        named = [{**each, "name": word(f"{prefix}.{each['name']}", write.lang)} for each in section[part]]
        parts.append((word(f"by_{of}", write.lang), write.words(of, *names[1:]), write.records(named, *names)))
    names = ("number", "title", "priority", "created_at", "due_at", "overdue")
    graded = [{**each, "priority": word(f"severity.{each['priority']}", write.lang)} for each in section["oldest"]]
    parts.append((word("oldest", write.lang), write.words(*names), write.records(graded, *names)))
    return parts


_TABLES: Final[Mapping[str, Callable[[_Writer, Numbers], list[Part]]]] = {
    "text": _text,
    "overview": _overview,
    "use": _use,
    "chart": _chart,
    "points": _points,
    "alarms": _alarms,
    "orders": _orders,
}
