"""Which column of a table of readings is what: said by a user, or guessed from a file's first rows.

A generic reader, like `ifc_models.sheets`: what the keys stand for is the caller's business.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from twin.errors import FieldError, Invalid

Layout = Literal["long", "wide"]
ISO, UNIX, UNIX_MS = "iso", "unix", "unix_ms"
DELIMITERS: Final = (",", ";", "\t", "|")
EMPTY: Final = frozenset({"", "nan", "null", "none", "n/a", "#n/a", "na", "-", "--", "nil"})
"""Cells that say that there is no value, in lower case."""
_CLOCKS: Final = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "")
_DATES: Final = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y-%m-%d", "%d-%m-%Y", "%Y年%m月%d日", "%d.%m.%y", "%m/%d/%y",
)  # fmt: skip
FORMATS: Final = (*(f"{date} {clock}".strip() for date in _DATES for clock in _CLOCKS), "%Y%m%d%H%M%S", "%Y%m%d%H%M")
_TIME_NAMES: Final = re.compile(r"time|date|\bts\b|zeit|datum|stamp|时间|日期|时刻", re.IGNORECASE)
_POINT_NAMES: Final = re.compile(
    r"point|tag|sensor|name|\bid\b|key|device|signal|meter|测点|点位|名称|编号", re.IGNORECASE
)
_VALUE_NAMES: Final = re.compile(r"value|\bval\b|reading|wert|数值|读数|^值$", re.IGNORECASE)
_QUALITY_NAMES: Final = re.compile(r"quality|status|质量", re.IGNORECASE)
_PARTS: Final = re.compile(r"\{([^{}]+)\}")
_GROUPED: Final = re.compile(r"-?\d{1,3}(\.\d{3})*,\d+")
QUALITIES: Final[Mapping[str, int]] = {
    **{name: code for code, name in enumerate(("good", "uncertain", "bad", "stale"))},
    **{str(code): code for code in range(4)},
    "192": 0, "64": 1, "ok": 0, "": 0,
}  # fmt: skip
"""What a quality column may say: our names or codes, or OPC's 192 and 64."""


class TableMapping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the columns of a table are. `ts` and `point` name a column, or put several together: `{Date} {Time}`.

    long: a row is one reading (`point`, `value`); `columns` may give what `point` says another key.
    wide: a row is a moment; `columns` are those with readings, each with its key.
    """

    layout: Layout
    ts: str
    point: str | None = None
    value: str | None = None
    quality: str | None = None  # long: a column
    columns: dict[str, str] | None = None
    timezone: str | None = None  # IANA, for times that name no zone; None: the site's
    format: str | None = None  # iso, unix, unix_ms, or as strptime has it; None: guessed from the first rows
    delimiter: str | None = None
    decimal: str | None = None
    header: int | None = None  # the line that names the columns, from 1; 0: none does, they are called 1, 2, …

    @property
    def is_long(self) -> bool:
        return self.layout == "long"


def mapping_of(given: object) -> TableMapping:
    """A mapping as a user gave it. Raises Invalid `table.mapping` naming each field that is wrong."""
    try:
        mapping = msgspec.convert(given, TableMapping)
    except msgspec.ValidationError as error:
        raise Invalid("table.mapping", where="mapping", reason=str(error)[:300]) from None
    wrong: list[FieldError] = []
    if mapping.timezone is not None:
        try:
            ZoneInfo(mapping.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            wrong.append(FieldError("mapping.timezone", "table.zone", {"zone": mapping.timezone[:60]}))
    if mapping.delimiter is not None and mapping.delimiter not in DELIMITERS:
        wrong.append(FieldError("mapping.delimiter", "table.delimiter", {"delimiter": mapping.delimiter[:10]}))
    if mapping.decimal not in (None, ".", ","):
        wrong.append(FieldError("mapping.decimal", "table.decimal", {}))
    if mapping.is_long and (not mapping.point or not mapping.value):
        wrong.append(FieldError("mapping.point", "table.long", {}))
    if not mapping.is_long and not mapping.columns:
        wrong.append(FieldError("mapping.columns", "table.wide", {}))
    if wrong:
        raise Invalid("table.mapping", where="mapping", fields=wrong, reason=wrong[0].text("en"))
    return mapping


def parts_of(template: str, names: Sequence[str]) -> list[str]:
    """The columns that a template takes: itself, if it is the name of one."""
    return [template] if template in names else _PARTS.findall(template)


def check_names(mapping: TableMapping, names: Sequence[str]) -> None:
    """Raise Invalid `table.column` for a column that the table does not have."""
    wanted = [*parts_of(mapping.ts, names)] or [mapping.ts]
    if mapping.is_long:
        wanted += parts_of(mapping.point or "", names) or [mapping.point or ""]
        wanted += [each for each in (mapping.value, mapping.quality) if each is not None]
    else:
        wanted += mapping.columns or {}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise Invalid("table.column", where="mapping", column=missing[0][:100], known=", ".join(names)[:500])


def is_empty(text: str) -> bool:
    """Say whether a cell has no value."""
    return text.strip().lower() in EMPTY


def number_of(text: str, decimal: str = ".") -> float | None:
    """The number that a cell is, or None. Digits may be grouped where the decimal sign is a comma."""
    text = text.strip()
    if decimal == ",":
        text = text.replace(".", "").replace(",", ".") if _GROUPED.fullmatch(text) else text.replace(",", ".")
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def guess_decimal(cells: Sequence[str], delimiter: str | None) -> str:
    """The decimal sign: a comma where cells are numbers only with one."""
    if delimiter == ",":
        return "."
    commas = sum("," in cell and number_of(cell) is None and number_of(cell, ",") is not None for cell in cells)
    points = sum("." in cell and number_of(cell) is not None for cell in cells)
    return "," if commas > points else "."


def guess_format(cells: Sequence[str]) -> str | None:
    """How times are written, or None: these are none. Of day and month first, the one whose times rise."""
    cells = [cell.strip() for cell in cells if not is_empty(cell)][:500]
    if not cells:
        return None
    numbers = [number_of(cell) for cell in cells]
    if all(number is not None and 1e8 < number < 1e10 for number in numbers):
        return UNIX
    if all(number is not None and 1e11 < number < 1e13 for number in numbers):
        return UNIX_MS
    if _most(cells, _is_iso):
        return ISO
    fitting = [form for form in FORMATS if _most(cells, lambda cell, form=form: _fits(form, cell))]  # type: ignore[misc]
    return max(fitting, key=lambda form: _rising(form, cells), default=None)


def _most(cells: Sequence[str], fits: Callable[[str], bool]) -> bool:
    """Say whether nine of ten cells fit: a table with a few slips is one all the same."""
    allowed = len(cells) // 10
    for cell in cells:
        if not fits(cell):
            allowed -= 1
            if allowed < 0:
                return False
    return True


def _is_iso(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return len(cell) >= 10 and cell[4] == "-"


def _fits(form: str, cell: str) -> bool:
    try:
        datetime.strptime(cell, form)  # noqa: DTZ007  whose zone it is comes later
    except ValueError:
        return False
    return True


def _rising(form: str, cells: Sequence[str]) -> float:
    """The negative of how far times lie apart one after the other: days taken for months jump about."""
    times = [datetime.strptime(cell, form).timestamp() for cell in cells if _fits(form, cell)]  # noqa: DTZ007
    return -sum(abs(later - earlier) for earlier, later in zip(times, times[1:], strict=False))


def kind_of(cells: Sequence[str], decimal: str) -> str:
    """What a column holds: empty, number, bool, time or text."""
    filled = [cell for cell in cells if not is_empty(cell)]
    if not filled:
        return "empty"
    numbers = all(number_of(cell, decimal) is not None for cell in filled)
    if guess_format(filled) not in (None, UNIX, UNIX_MS) or (numbers and guess_format(filled) is not None):
        return "time"
    if numbers:
        return "number"
    return "bool" if {cell.strip().lower() for cell in filled} <= {"true", "false", "on", "off"} else "text"


def guess_mapping(names: Sequence[str], kinds: Sequence[str], columns: Sequence[Sequence[str]]) -> TableMapping:
    """The likeliest meaning of columns with these names, kinds and first cells."""
    ts = _guess_ts(names, kinds, columns)
    used = set(parts_of(ts, names))
    rest = [i for i, name in enumerate(names) if name not in used]
    values = [i for i in rest if kinds[i] in ("number", "bool")]
    point = _pick(names, [i for i in rest if kinds[i] in ("text", "number")], _POINT_NAMES)
    value = _pick(names, [i for i in rest if i != point and kinds[i] != "empty"], _VALUE_NAMES)
    texts = [i for i in rest if kinds[i] == "text"]
    if value is None and len(values) == 1 and texts and len(set(columns[texts[0]])) < max(2, len(columns[texts[0]])):
        point, value = texts[0] if point is None else point, values[0]
    if point is not None and value is not None and point != value:
        quality = _pick(names, [i for i in rest if i not in (point, value)], _QUALITY_NAMES)
        return TableMapping(
            layout="long",
            ts=ts,
            point=names[point],
            value=names[value],
            quality=None if quality is None else names[quality],
        )
    return TableMapping(layout="wide", ts=ts, columns={names[i]: names[i] for i in rest if kinds[i] != "empty"})


def _pick(names: Sequence[str], among: Sequence[int], wanted: re.Pattern[str]) -> int | None:
    return next((i for i in among if wanted.search(names[i])), None)


def _guess_ts(names: Sequence[str], kinds: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    times = [i for i, kind in enumerate(kinds) if kind == "time"]
    if not times:
        return names[0] if names else ""
    first = next((i for i in times if _TIME_NAMES.search(names[i])), times[0])
    following = first + 1
    clock = following < len(names) and all(_fits("%H:%M", c) or _fits("%H:%M:%S", c) for c in columns[following][:50])
    if clock and columns[following] and all(len(cell.strip()) <= 11 for cell in columns[first]):
        return f"{{{names[first]}}} {{{names[following]}}}"
    return names[first]
