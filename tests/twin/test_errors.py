"""The texts of all packages, held against the code of all packages."""

import ast
import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from twin import errors

ROOT = Path(errors.__file__).parent.parent
FAMILIES = {"NotFound", "Invalid", "Conflict", "Denied", "Unauthenticated", "TooLarge", "Unavailable", "FieldError"}


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text("utf-8"))) for name in errors.PACKAGES for path in modules(ROOT / name)]


def modules(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".py":
            yield path
        elif path.is_dir() and path.name != "node_modules":
            yield from modules(path)


def literals() -> dict[str, set[str]]:
    """Every string that stands anywhere in our Python code, and in which files."""
    found: dict[str, set[str]] = {}
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, set()).add(str(path.relative_to(ROOT)))
    return found


def raised() -> dict[str, str]:
    """The code of every error that is made with a literal code, and where."""
    found = {}
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                position = 1 if name == "FieldError" else 0
                argument = node.args[position] if name in FAMILIES and len(node.args) > position else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found[argument.value] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


@cache
def texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for package in errors.PACKAGES:
        path = ROOT / package / "messages.toml"
        if path.exists():
            found |= tomllib.loads(path.read_text("utf-8"))
    return found


def test_every_code_that_is_raised_has_its_texts() -> None:
    missing = {code: place for code, place in raised().items() if code not in texts()}
    assert not missing, f"add them to the messages.toml of their package: {missing}"


def test_every_text_stands_in_chinese_and_in_english() -> None:
    incomplete = [
        code for code, text in texts().items() if not (text.get("en", "").strip() and text.get("zh", "").strip())
    ]
    assert not incomplete
    not_chinese = [
        code for code, text in texts().items() if not any("\u4e00" <= char <= "\u9fff" for char in text["zh"])
    ]
    assert not not_chinese


def test_both_languages_of_a_text_use_the_same_parameters() -> None:
    def names(text: str) -> set[str]:
        return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}

    different = [code for code, text in texts().items() if names(text["en"]) != names(text["zh"])]
    assert not different


def prefixes() -> tuple[str, ...]:
    """What codes put together from a kind begin with: `alarm.` of f"alarm.{rule.kind}", `session.ended_`."""
    parts = [
        node.values[0]
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and node.values
    ]
    texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return tuple(text for text in texts if re.fullmatch(r"[a-z_]+\.([a-z_.]*[._])?", text))


def test_every_text_is_used() -> None:
    used, begun = literals(), prefixes()
    unused = [code for code in texts() if code not in used and not code.startswith(begun)]
    assert not unused, f"no code raises them; remove them: {unused}"


def test_no_two_packages_share_a_code() -> None:
    codes: Counter[str] = Counter()
    for package in errors.PACKAGES:
        path = ROOT / package / "messages.toml"
        if path.exists():
            codes.update(tomllib.loads(path.read_text("utf-8")).keys())
    assert not [code for code, count in codes.items() if count > 1]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_error_says_what_where_and_what_to_do(lang: errors.Language) -> None:
    error = errors.NotFound("building.unknown", where="building", ref="Tower")
    assert "'Tower'" in error.text(lang)
    assert "GET /buildings" in error.text(lang)
    assert error.title(lang) == {"en": "Not found", "zh": "未找到"}[lang]


def test_a_forgotten_parameter_does_not_hide_the_error() -> None:
    assert "{ref}" in errors.NotFound("element.ambiguous", count=2).text("en")
