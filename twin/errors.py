"""Errors that a person can act on: a family, a stable code, and a text in Chinese and English.

`raise NotFound("point.unknown", key=key)`: the texts of a code stand in the `messages.toml` of the package
that raises it. `api` turns the families into RFC 9457 problem documents, in one place.
"""

import dataclasses
import importlib.util
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

Language = Literal["en", "zh"]

PACKAGES = ("twin", "identity", "ifc_models", "spatial", "telemetry", "maintenance", "viewer", "api")


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """All texts, by code: `{"point.unknown": {"en": …, "zh": …}}`."""
    found: dict[str, Mapping[str, str]] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / "messages.toml"
            if path.exists():
                for code, texts in tomllib.loads(path.read_text("utf-8")).items():
                    found.setdefault(code, texts)  # a test sees to it that no two packages share one
    return found


class _Parameters(dict[str, Any]):
    """A missing parameter shows as its name: an error about an error would hide the first one."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def text_of(code: str, lang: Language, params: Mapping[str, Any]) -> str:
    """The text of `code` with `params` filled in; the code itself where it has no text."""
    texts = messages().get(code, {})
    return texts.get(lang, texts.get("en", code)).format_map(_Parameters(params))


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; `field` is its path, e.g. `readings.3.ts`."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def text(self, lang: Language) -> str:
        return text_of(self.code, lang, self.params)


class TwinError(Exception):
    """The base of all errors that are meant for the user. Raise one of its families.

    `where` says which thing or place in a file is meant; `params` fill the text.
    """

    family: ClassVar[str] = "error"

    def __init__(
        self, code: str, /, *, where: str | None = None, fields: Sequence[FieldError] | None = None, **params: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.where = where
        self.fields = list(fields or ())
        self.params = params

    def text(self, lang: Language) -> str:
        """What was wrong and what to do about it."""
        return text_of(self.code, lang, self.params)

    def title(self, lang: Language) -> str:
        """A few words for the whole family."""
        return text_of(f"family.{self.family}", lang, {})

    def __str__(self) -> str:
        return self.text("en") + (f" ({self.where})" if self.where else "")


class NotFound(TwinError):
    """What was asked for does not exist."""

    family = "not_found"


class Invalid(TwinError):
    """The input cannot be used as it is."""

    family = "invalid"


class Conflict(TwinError):
    """The state of things does not allow it now."""

    family = "conflict"


class Denied(TwinError):
    """Known, but not allowed."""

    family = "denied"


class Unauthenticated(TwinError):
    """Not known: no credentials, or wrong or expired ones."""

    family = "unauthenticated"


class TooLarge(TwinError):
    """More bytes or items than the settings allow."""

    family = "too_large"


class Unavailable(TwinError):
    """Cannot be served now, through no fault of the caller; trying again later may help."""

    family = "unavailable"


class TooMany(TwinError):
    """More calls than this caller may make; `retry_after` (s) says when the next one is free."""

    family = "too_many"
