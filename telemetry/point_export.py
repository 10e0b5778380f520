"""Point lists going out: CSV, XLSX and Turtle that come in again unchanged (`point_import`)."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from openpyxl import Workbook

from telemetry.point_turtle import turtle_of
from telemetry.point_values import field_names, write_values
from telemetry.points import Point, PointFilter, list_points
from twin.db import Conn, rows

Format = Literal["csv", "xlsx", "ttl"]
PAGE: Final = 1000
MEDIA: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ttl": "text/turtle; charset=utf-8",
}


async def point_rows(conn: Conn, building_id: UUID) -> AsyncIterator[tuple[Point, dict[str, str], str | None]]:
    """The points in use of a building by key, as cells; and the GlobalId of each one's element where it says enough."""
    policies = {each["id"]: each["name"] for each in await rows(conn, "SELECT id, name FROM history_policy")}
    cursor: str | None = None
    while True:
        page = await list_points(conn, PointFilter(building_id=building_id), limit=PAGE, cursor=cursor)
        bound = {point.element.global_id for point in page.items if point.element}
        counted = await rows(conn, _SAME, {"building": building_id, "ids": list(bound)})
        single = {each["global_id"] for each in counted if each["n"] == 1}
        for point in page.items:
            element, global_id = point.element, None
            if element is not None and element.global_id in single:
                global_id = element.global_id
            name = None if element is None else global_id or str(element.id)
            yield point, write_values(point, name, policies.get(point.policy)), global_id
        cursor = page.next
        if cursor is None:
            return


_SAME: LiteralString = """
    SELECT global_id, count(*) AS n FROM element WHERE building_id = %(building)s AND global_id = ANY(%(ids)s)
    GROUP BY global_id
"""


async def export_points(conn: Conn, building_id: UUID, form: Format) -> bytes:
    """The points of a building as a file."""
    found = [each async for each in point_rows(conn, building_id)]
    if form == "ttl":
        pieces = turtle_of((str(point.id), cells, global_id) for point, cells, global_id in found)
        return await asyncio.to_thread(lambda: "".join(pieces).encode())
    return await asyncio.to_thread(_csv if form == "csv" else _xlsx, [cells for _, cells, _ in found])


def _csv(found: list[dict[str, str]]) -> bytes:
    made = io.StringIO(newline="")
    table = csv.DictWriter(made, field_names(), lineterminator="\r\n")
    table.writeheader()
    table.writerows(found)
    return b"\xef\xbb\xbf" + made.getvalue().encode()  # Excel takes it for UTF-8 with the mark only


def _xlsx(found: list[dict[str, str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("points")
    sheet.freeze_panes = "A2"
    names = field_names()
    for n, name in enumerate(names):
        width = 28 if name in ("key", "name", "brick_class") else 16
        sheet.column_dimensions[chr(ord("A") + n)].width = width
    sheet.append(list(names))
    for cells in found:
        sheet.append([_cell(name, cells[name]) for name in names])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _cell(name: str, text: str) -> Any:
    """Numbers as numbers, so that people can sort them, where a workbook keeps all their digits; the rest as text."""
    if name in ("min_value", "max_value", "deadband", "expected_interval", "stale_after") and text:
        value = float(text)
        return value if float(f"{value:.15g}") == value else text
    return text or None
