"""Opens a checked file with ifcopenshell, and turns the parser's log into findings and errors with a line number."""

import re
from pathlib import Path
from typing import Any, Final

import ifcopenshell
from ifcopenshell import ifcopenshell_wrapper as wrapper

from ifc_models.findings import Findings
from twin.errors import Invalid

_OFFSET: Final = re.compile(r" at offset (\d+)")
_MAX_ID: Final = 2**31 - 1


class OpenedFile:
    """An opened file with its log. Lazily parsed unless told otherwise: an instance is parsed when first asked for."""

    def __init__(self, path: Path, *, lazy: bool = True) -> None:
        self._path = path
        self._log: Any = wrapper.logger()
        self._log.output_format(wrapper.logger.FMT_INMEMORY)
        try:
            self.file: ifcopenshell.file = ifcopenshell.open(path, format=".ifc", lazy=lazy, logger=self._log)
        except ifcopenshell.SchemaError as error:
            raise Invalid("ifc.schema_unsupported", where="FILE_SCHEMA", schema=str(error)) from error
        except (ifcopenshell.Error, RuntimeError, OSError) as error:
            raise self.syntax_error(str(error)) from error

    def messages(self) -> list[tuple[str, str]]:
        """(severity, text) of everything the parser has said so far."""
        return [(m.severity_string, m.message) for m in self._log if m.severity_string in ("ERROR", "WARNING")]

    def overwritten(self) -> bool:
        """Whether entity numbers are used twice; lazy parsing mixes such instances up."""
        return any(text.startswith("Overwriting instance") for _, text in self.messages())

    def syntax_error(self, reason: str) -> Invalid:
        """The error for a file whose parsing failed, with the line where it did."""
        errors = [text for severity, text in self.messages() if severity == "ERROR"]
        text = errors[0] if errors else reason
        big = re.search(r"token (\d{10,}) at offset \d+ invalid instance name", text)
        where = self._line(text) or self._path.name
        if big is not None and int(big[1]) > _MAX_ID:
            return Invalid("ifc.id_too_large", where=where, id=big[1])
        return Invalid("ifc.syntax", where=where, reason=_OFFSET.sub("", text)[:200])

    def note(self, found: Findings) -> None:
        """Add what the parser complained about."""
        other: list[str] = []
        for severity, text in self.messages():
            if "not found in schema" in text or (severity == "ERROR" and "instance" in text):
                found.add("ifc.unreadable_entities", self._line(text))
            elif text.startswith("Overwriting instance"):
                found.add("ifc.step_id_repeated", text.removeprefix("Overwriting instance with name "))
            else:
                other.append(text)
        if other:
            found.add("ifc.syntax_noted", None, count=len(other), what=other[0][:200])

    def _line(self, text: str) -> str | None:
        match = _OFFSET.search(text)
        if match is None:
            return None
        with self._path.open("rb") as file:
            return f"line {file.read(int(match[1])).count(10) + 1}"


def open_model(path: Path) -> OpenedFile:
    """Open lazily where that is sound, fully where numbers repeat. Raises Invalid for a broken file."""
    opened = OpenedFile(path)
    return OpenedFile(path, lazy=False) if opened.overwritten() else opened


def read_or_explain(opened: OpenedFile, path: Path, read: Any) -> Any:
    """`read(opened)`; where lazy parsing stumbles over broken syntax, parse in full to say where, or read that."""
    try:
        return read(opened)
    except RuntimeError as error:
        again = OpenedFile(path, lazy=False)  # raises Invalid with the line where the syntax is at fault
        try:
            return read(again)
        except RuntimeError:
            raise again.syntax_error(str(error)) from error
