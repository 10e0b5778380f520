"""Expressions of derived points: CEL (Common Expression Language), checked before it is ever evaluated.

CEL cannot loop without its macros, do I/O or define names; a written-out expression then costs what its length says.
What could take longer (`map`, `filter`, `all`, `exists`, regular expressions), lists and maps are refused here, and
so is every function that is not in `FUNCTIONS`. The library is a binding of the Rust interpreter (decision 21).

A whole number counts as a decimal one: CEL itself refuses `a / 2` for a number `a`.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cel

from telemetry.dimensions import MEASURES, NONE, Powers
from telemetry.point_facts import Kind
from twin.errors import Invalid

MAX_LENGTH: Final = 1_000  # characters
MAX_DEPTH: Final = 40  # of parentheses and operators within each other
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
CLOCK: Final = ("hour", "weekday")  # local: 0 ≤ hour < 24, Monday is 1
RESERVED: Final = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"}
    | {"let", "loop", "package", "namespace", "return", "var", "void", "while"}
)

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
        |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
        |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
        |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/<>!?:(),]))""",
    re.VERBOSE,
)


def _round(value: float, digits: float = 0.0) -> float:
    return float(round(value, int(digits)))


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _calm(function: Callable[..., float]) -> Callable[..., float]:
    """NaN in place of an exception: the library prints one to stderr before it passes it on."""

    def calm(*values: float) -> float:
        try:
            return float(function(*values))
        except (ValueError, ArithmeticError):
            return math.nan

    return calm


FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "floor": _calm(math.floor),
    "ceil": _calm(math.ceil),
    "round": _calm(_round),
    "clamp": _clamp,
    "mod": _calm(lambda value, by: value % by),
    "sqrt": _calm(math.sqrt),
    "exp": _calm(math.exp),
    "ln": _calm(math.log),
    "pow": _calm(math.pow),
}
_ARGUMENTS: Final = {"min": (2, 8), "max": (2, 8), "round": (1, 2), "clamp": (3, 3), "pow": (2, 2), "mod": (2, 2)}
_KEEPS: Final = frozenset({"abs", "min", "max", "floor", "ceil", "round", "clamp"})  # the unit of their arguments

Sort = Literal["number", "bool", "text"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is known of a value before it is computed. `powers` None: a plain number, fits everywhere.

    `factor` None: scaled by a number or unknown, so that its unit cannot be told any more.
    """

    sort: Sort
    powers: Powers | None = None
    factor: float | None = None
    offset: float | None = None
    several: bool = False  # a product of things that have a unit


@dataclass(frozen=True, slots=True)
class Input:
    """An input as an expression sees it: number (bools are bools, enums are their labels)."""

    kind: Kind
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression, ready to be evaluated."""

    program: Any
    names: frozenset[str]  # inputs that it uses

    def values(self, columns: Mapping[str, Sequence[Any]], count: int) -> list[Any]:
        """`count` results; None where it has none (division by nothing, a logarithm of what has none…)."""
        names = [name for name in columns if name in self.names or name in CLOCK]
        return [self._value({name: columns[name][i] for name in names}) for i in range(count)]

    def _value(self, context: dict[str, Any]) -> Any:
        try:
            found = self.program.execute({**FUNCTIONS, **context})
        except (ValueError, TypeError, RuntimeError, ArithmeticError):
            return None
        return None if isinstance(found, float) and not math.isfinite(found) else found


def compile_expression(text: str, inputs: Mapping[str, Input], *, kind: Kind, unit: str | None) -> Expression:
    """Check an expression over `inputs` whose results are for a point of this kind and unit.

    Raises Invalid `derived.expression` with what is wrong and where.
    """
    if len(text) > MAX_LENGTH:
        raise _wrong("too_long", limit=MAX_LENGTH)
    parser = _Parser(text, inputs)
    found = parser.read()
    _check_result(found, kind, unit)
    try:
        program = cel.compile(parser.rewritten())
    except (ValueError, RuntimeError) as error:
        raise _wrong("syntax", reason=str(error).splitlines()[0][:200]) from None
    return Expression(program, frozenset(parser.used))


def _check_result(found: Quantity, kind: Kind, unit: str | None) -> None:
    wanted: Sort = {"number": "number", "bool": "bool", "enum": "text", "text": "text"}[kind]  # type: ignore[assignment]
    if found.sort != wanted and not (kind == "enum" and found.sort == "number"):
        raise _wrong("result", is_=found.sort, wanted=kind)
    measure = MEASURES.get(unit) if unit else None
    if found.sort != "number" or measure is None or found.powers is None:
        return
    if found.powers != measure.powers:
        raise Invalid("derived.units", where="unit", unit=unit, found=_named(found))
    if found.factor is not None and not math.isclose(found.factor, measure.factor):
        raise Invalid("derived.units", where="unit", unit=unit, found=_named(found))
    if found.offset is not None and found.offset != measure.offset:
        raise Invalid("derived.units", where="unit", unit=unit, found=_named(found))


def _wrong(why: str, **params: Any) -> Invalid:
    return Invalid(f"derived.expression_{why}", where="expression", **params)


def _named(found: Quantity) -> str:
    """The unit of a quantity as a person would say it: a known one, or powers of the base units."""
    for code, measure in MEASURES.items():
        fits = found.factor in (None, measure.factor) and found.offset in (None, measure.offset)
        if measure.powers == found.powers and fits and measure.powers != NONE:
            return code
    symbols = zip(("m", "kg", "s", "A", "K", "cd"), found.powers or NONE, strict=True)
    told = "·".join(name if power == 1 else f"{name}^{power:g}" for name, power in symbols if power)
    return told or "1"


class _Parser:
    """Reads CEL's operators by precedence and works out what each part is; nothing is evaluated."""

    def __init__(self, text: str, inputs: Mapping[str, Input]) -> None:
        self._text = text
        self._inputs = inputs
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0
        self.used: set[str] = set()

    def _split(self) -> Iterator[tuple[str, str, int]]:
        at, end = 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                raise _wrong("character", character=self._text[at:].lstrip()[:1], column=at + 1)
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1
            at = match.end()

    def rewritten(self) -> str:
        """The same expression with decimal numbers only."""
        return " ".join(f"{float(text)!r}" if kind == "number" else text for kind, text, _ in self._tokens)

    def read(self) -> Quantity:
        """What the whole expression is."""
        if not self._tokens:
            raise _wrong("empty")
        found = self._choice()
        if self._at < len(self._tokens):
            _, text, column = self._tokens[self._at]
            raise _wrong("unexpected", token=text[:40], column=column)
        return found

    def _peek(self) -> str:
        kind, text, _ = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "", 0)
        return text if kind == "sign" else ""

    def _take(self, sign: str) -> None:
        if self._peek() != sign:
            raise _wrong("expected", token=sign, column=self._column())
        self._at += 1

    def _column(self) -> int:
        return self._tokens[self._at][2] if self._at < len(self._tokens) else len(self._text) + 1

    def _choice(self) -> Quantity:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong("deep", limit=MAX_DEPTH)
        found = self._binary(0)
        if self._peek() == "?":
            column = self._column()
            self._want(found, "bool", column)
            self._at += 1
            one = self._choice()
            self._take(":")
            found = self._same(one, self._choice(), column)
        self._depth -= 1
        return found

    _LEVELS: Final = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))

    def _binary(self, level: int) -> Quantity:
        if level == len(self._LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while (sign := self._peek()) in self._LEVELS[level]:
            column = self._column()
            self._at += 1
            found = self._combined(sign, found, self._binary(level + 1), column)
        return found

    def _combined(self, sign: str, one: Quantity, two: Quantity, column: int) -> Quantity:
        if sign in ("||", "&&"):
            self._want(one, "bool", column)
            self._want(two, "bool", column)
            return Quantity("bool")
        if sign in ("==", "!=", "<", "<=", ">", ">="):
            self._same(one, two, column)
            return Quantity("bool")
        self._want(one, "number", column)
        self._want(two, "number", column)
        if sign in "+-":
            same = self._same(one, two, column)
            relative = one.offset and two.offset  # 21 °C - 20 °C are 1 K, which is a number of °C as well
            return Quantity("number", same.powers, same.factor, None if relative else same.offset)
        return _product(one, two, -1 if sign == "/" else 1)

    def _unary(self) -> Quantity:
        sign, column, signs = self._peek(), self._column(), 0
        while self._peek() in ("-", "!") and self._peek() == sign and sign:
            self._at += 1
            signs += 1
        if signs > MAX_DEPTH:
            raise _wrong("deep", limit=MAX_DEPTH)
        found = self._atom()
        if sign == "-":
            self._want(found, "number", column)
        elif sign == "!" and signs:
            self._want(found, "bool", column)
        return found

    def _atom(self) -> Quantity:
        if self._at >= len(self._tokens):
            raise _wrong("ends")
        kind, text, column = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return Quantity("number")
        if kind == "text":
            return Quantity("text")
        if kind == "name":
            return self._call(text, column) if self._peek() == "(" else self._named(text, column)
        if text == "(":
            found = self._choice()
            self._take(")")
            return found
        raise _wrong("unexpected", token=text, column=column)

    def _named(self, name: str, column: int) -> Quantity:
        if name in ("true", "false"):
            return Quantity("bool")
        if name in CLOCK and name not in self._inputs:
            return Quantity("number")
        known = self._inputs.get(name)
        if known is None:
            raise _wrong("name", name=name[:64], column=column, known=", ".join([*self._inputs, *CLOCK]))
        self.used.add(name)
        if known.kind != "number":
            return Quantity("bool" if known.kind == "bool" else "text")
        measure = MEASURES.get(known.unit) if known.unit else None
        return Quantity("number", measure.powers, measure.factor, measure.offset) if measure else Quantity("number")

    def _call(self, name: str, column: int) -> Quantity:
        if name not in FUNCTIONS:
            raise _wrong("function", name=name[:64], column=column, known=", ".join(FUNCTIONS))
        self._take("(")
        arguments = [self._choice()]
        while self._peek() == ",":
            self._at += 1
            arguments.append(self._choice())
        self._take(")")
        low, high = _ARGUMENTS.get(name, (1, 1))
        if not low <= len(arguments) <= high:
            raise _wrong("arguments", name=name, column=column, low=low, high=high)
        for each in arguments:
            self._want(each, "number", column)
        if name == "round":
            return arguments[0]
        if name in _KEEPS:
            found = arguments[0]
            for each in arguments[1:]:
                found = self._same(found, each, column)
            return found
        if name == "sqrt" and arguments[0].powers is not None:
            return Quantity("number", tuple(power / 2 for power in arguments[0].powers))  # type: ignore[arg-type]
        return Quantity("number")

    def _want(self, found: Quantity, sort: Sort, column: int) -> None:
        if found.sort != sort:
            raise _wrong("sort", is_=found.sort, wanted=sort, column=column)

    def _same(self, one: Quantity, two: Quantity, column: int) -> Quantity:
        """What both are; raises `derived.expression_units` for kilowatts beside degrees, or beside watts."""
        if one.sort != two.sort:
            raise _wrong("sort", is_=two.sort, wanted=one.sort, column=column)
        if one.powers is None or two.powers is None:
            return two if one.powers is None else one
        factors = one.factor is None or two.factor is None or math.isclose(one.factor, two.factor)
        offsets = one.offset is None or two.offset is None or one.offset == two.offset
        if one.powers != two.powers or not factors or not offsets:
            raise _wrong("units", one=_named(one), two=_named(two), column=column)
        return two if one.factor is None else one


def _product(one: Quantity, two: Quantity, sign: int) -> Quantity:
    """A number beside a product of units may be a constant with a unit of its own (4.186 kJ/(kg·K)): unknown then."""
    dimensional = [each for each in (one, two) if each.powers not in (None, NONE)]
    known = one.factor is not None and two.factor is not None
    several = len(dimensional) == 2 or any(each.several for each in dimensional)
    if (one.powers is None and two.powers is None) or (several and not known):
        return Quantity("number")
    powers = tuple(a + sign * b for a, b in zip(one.powers or NONE, two.powers or NONE, strict=True))
    factor = one.factor * two.factor**sign if one.factor is not None and two.factor is not None else None
    return Quantity("number", powers, factor, several=several)  # type: ignore[arg-type]
