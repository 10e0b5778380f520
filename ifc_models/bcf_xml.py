"""XML of BCF files, read as far as it can be understood.

Files of real programs are sloppy: elements in another order or with another case, attributes that the schema does not
have, missing dates. XML is read by defusedxml only: no DTD, no entities.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import Element

from defusedxml import ElementTree, common

from twin.errors import Invalid

MAX_XML: Final = 16 << 20  # bytes of one markup or viewpoint


def parse_xml(data: bytes, where: str) -> Element:
    """The root of an XML document. Raises Invalid for what is none, is too large or declares a DTD."""
    if len(data) > MAX_XML:
        raise Invalid("bcf.xml", where=where, reason=f"{len(data)} bytes")
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=True)
    except (common.DefusedXmlException, ElementTree.ParseError, UnicodeError, LookupError, ValueError) as error:
        raise Invalid("bcf.xml", where=where, reason=str(error)[:200] or type(error).__name__) from error
    return root


def local(element: Element) -> str:
    """The element's name without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def children(parent: Element | None, *names: str) -> Iterator[Element]:
    """Children of these names, whatever their case."""
    wanted = {name.lower() for name in names}
    return (each for each in (parent if parent is not None else ()) if local(each) in wanted)


def child(parent: Element | None, *names: str) -> Element | None:
    """The first child of one of these names."""
    return next(children(parent, *names), None)


def text(parent: Element | None, *names: str) -> str | None:
    """The text of a child; None where there is none or it is blank."""
    found = child(parent, *names)
    value = "".join(found.itertext()).strip() if found is not None else ""
    return value or None


def attribute(element: Element | None, name: str) -> str | None:
    """An attribute, whatever its case; None where it is missing or blank."""
    for key, value in (element.attrib if element is not None else {}).items():
        if key.rpartition("}")[2].lower() == name.lower():
            return value.strip() or None
    return None


def as_time(value: str | None) -> datetime | None:
    """An xs:dateTime, in UTC where it names no zone; None for what is none."""
    if value is None:
        return None
    try:
        made = datetime.fromisoformat(value.strip())
    except ValueError:
        try:  # more than six decimals of a second, as .NET writes them
            head, _, tail = value.strip().partition(".")
            digits = len(tail) - len(tail.lstrip("0123456789"))
            made = datetime.fromisoformat(f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}")
        except ValueError:
            return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def as_guid(value: str | None) -> str | None:
    """A UUID in its usual form; None for what is none."""
    try:
        return str(UUID(value)) if value else None
    except ValueError:
        return None


def as_integer(value: str | None) -> int | None:
    """A whole number; None for what is none."""
    try:
        return int(value) if value else None
    except ValueError:
        return None


def as_number(value: str | None) -> float | None:
    """A finite number; None for what is none."""
    try:
        made = float(value.replace(",", ".")) if value else None  # some programs write with their user's comma
    except ValueError:
        return None
    return made if made is not None and math.isfinite(made) else None


def as_boolean(value: str | None, *, default: bool) -> bool:
    """An xs:boolean; `default` where it is missing."""
    return default if value is None else value.lower() in ("true", "1")
