"""The search language of the workspace (docs/workspace.md): text into a tree of conditions. Pure.

    class:IfcWall storey:"Level 1" Pset_WallCommon.FireRating:none OR has:alarm -name~test

Terms beside each other must all hold; `OR`, `NOT` (or a leading `-`) and parentheses do what they say. A term is a
word (what a search box finds), or KEY, an operator and a value: `:` is (several values with commas are any of them, `*`
stands for anything, `none` and `any` ask whether there is one), `!=` is not, `~` contains, `<` `<=` `>` `>=` compare
numbers. `in:NAME` is a search that somebody has saved; its text takes the place of the name (`filled_in`).

>>> parse("has:alarm (storey:1,2 OR name~pump)")
All((Term('has', ':', ('alarm',), 1), Either((Term('storey', ':', ('1', '2'), 12), Term('name', '~', ('pump',), 26)))))
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal, NoReturn

from twin.errors import FieldError, Invalid

Operator = Literal[":", "!=", "~", "<", "<=", ">", ">="]
MAX_LENGTH: Final = 2000  # characters
MAX_TERMS: Final = 60  # what one answer may cost has an end
MAX_DEPTH: Final = 20
NONE, ANY = "none", "any"
NUMERIC: Final = frozenset({"<", "<=", ">", ">="})
_EQUALITY: Final = frozenset({":", "!="})

WORDS: Final = frozenset(
    {"name", "tag", "id", "is", "class", "type", "predefined", "storey", "space", "system", "zone", "material"}
    | {"classification", "model", "discipline", "document", "point", "description"}
)
"""Keys whose values are words."""
NUMBERS: Final = frozenset({"area", "volume", "length", "width", "height", "elevation"})
"""Keys whose values are numbers."""
HAS: Final = frozenset(
    {"alarm", "order", "point", "issue", "asset", "system", "zone", "space", "storey", "type", "material"}
    | {"classification", "document", "geometry"}
)
"""What `has:` asks for."""
LIVE: Final = "live"
FREE: Final = ""
"""The key of a word without a key."""
IN: Final = "in"
"""The key that stands for saved searches, by their names."""
KEYS: Final = sorted(WORDS | NUMBERS | {"has", LIVE, IN, "own"})


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `at` is the place of its first character in the text, from 1."""

    key: str
    op: Operator
    values: tuple[str, ...]
    at: int

    def __repr__(self) -> str:
        return f"Term({self.key!r}, {self.op!r}, {self.values!r}, {self.at})"

    @property
    def path(self) -> tuple[str, str] | None:
        """Set and name where the key is a property, `*` for any set; None for the keys of the language."""
        if self.key.partition(".")[0] == LIVE:
            return None
        pset, dot, name = self.key.partition(".")
        return (pset, name) if dot else None

    @property
    def number(self) -> Decimal:
        """The value of a comparison."""
        return Decimal(repr(float(self.values[0])))  # what a float cannot hold PostgreSQL need not hold either


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """What must hold together."""

    of: tuple["Node", ...]

    def __repr__(self) -> str:
        return f"All({self.of!r})"


@dataclass(frozen=True, slots=True)
class Either:
    """Of which one must hold."""

    of: tuple["Node", ...]

    def __repr__(self) -> str:
        return f"Either({self.of!r})"


Node = Term | Not | All | Either
Kind = Literal["(", ")", "-", "OR", "AND", "NOT", "word", "op", ",", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `text` is without its quotes, `at` counts from 1, `joined`: nothing stands before it."""

    kind: Kind
    text: str
    at: int
    joined: bool
    quoted: bool = False


_SIGNS: Final[Mapping[str, Kind]] = {"(": "(", ")": ")", ",": ",", "OR": "OR", "AND": "AND", "NOT": "NOT"}
_OPERATOR: Final = re.compile(r"!=|<=|>=|[:=~<>]")
_NUMBER: Final = re.compile(r"[-+]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][-+]?[0-9]{1,3})?")
LARGEST: Final = 1e30
_WORD: Final = re.compile(r"[^\s()\",:=~<>!]+")


EVERYTHING: Final = Term("id", ":", (ANY,), 1)


def parse(text: str) -> Node | None:
    """The conditions of a text; None of an empty one. Raises Invalid, which says what is wrong and where."""
    if len(text) > MAX_LENGTH:
        refuse("query.too_long", 1, limit=MAX_LENGTH)
    if "\0" in text:
        refuse("query.unexpected", text.index("\0") + 1, found="\\0")
    return _Parser(list(_tokens(text))).whole()


def refuse(code: str, at: int, /, **params: Any) -> NoReturn:
    params["at"] = at
    raise Invalid(code, where="q", fields=[FieldError("q", code, params)], **params)


def _tokens(text: str) -> Iterator[Token]:
    at, end = 0, len(text)
    while at < end:
        here = text[at]
        if here.isspace():
            at += 1
            continue
        joined = at > 0 and not text[at - 1].isspace()
        if here == '"':
            value, after = _quoted(text, at)
            yield Token("word", value, at + 1, joined, quoted=True)
        elif here in "(),":
            after = at + 1
            yield Token(_SIGNS[here], here, at + 1, joined)
        elif here == "-" and not (joined and text[at - 1] != "(") and at + 1 < end and not text[at + 1].isspace():
            after = at + 1
            yield Token("-", here, at + 1, joined)
        elif found := _OPERATOR.match(text, at):
            after = found.end()
            yield Token("op", ":" if found[0] == "=" else found[0], at + 1, joined)
        elif found := _WORD.match(text, at):
            after = found.end()
            yield Token(_SIGNS.get(found[0], "word"), found[0], at + 1, joined)
        else:
            refuse("query.unexpected", at + 1, found=here)
        at = after
    yield Token("end", "", end + 1, joined=False)


def _quoted(text: str, start: int) -> tuple[str, int]:
    r"""The value of the quotes that open at `start`, and what comes after; `\"` is a quote and `\\` a backslash."""
    value: list[str] = []
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return "".join(value), at + 1
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
        value.append(text[at])
        at += 1
    refuse("query.unclosed_quote", start + 1)


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.next, self.terms = tokens, 0, 0

    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        found = self.tokens[self.next]
        self.next += 1
        return found

    def whole(self) -> Node | None:
        if self.peek().kind == "end":
            return None
        found = self.either(0)
        if self.peek().kind != "end":
            refuse("query.unexpected", self.peek().at, found=self.peek().text)
        return found

    def either(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            refuse("query.too_deep", self.peek().at, limit=MAX_DEPTH)
        parts = [self.both(depth)]
        while self.peek().kind == "OR":
            self.take()
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self.peek().kind in ("AND", "(", "-", "NOT", "word"):
            if self.peek().kind == "AND":
                self.take()
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self, depth: int) -> Node:
        token = self.take()
        if token.kind in ("-", "NOT"):
            if depth >= MAX_DEPTH:
                refuse("query.too_deep", token.at, limit=MAX_DEPTH)
            return Not(self.one(depth + 1))
        if token.kind == "(":
            inside = self.either(depth + 1)
            if self.peek().kind != ")":
                refuse("query.unclosed_paren", token.at)
            self.take()
            return inside
        if token.kind == "end":
            refuse("query.incomplete", token.at)
        if token.kind != "word":
            refuse("query.unexpected", token.at, found=token.text)
        return self.term(token)

    def term(self, first: Token) -> Term:
        self.terms += 1
        if self.terms > MAX_TERMS:
            refuse("query.too_many", first.at, limit=MAX_TERMS)
        key = first.text
        while (
            self.peek().kind == "word"
            and self.peek().joined
            and (first.quoted or self.peek().quoted or key.endswith("."))
        ):
            key += self.take().text  # "Set with blanks"."Name of a property"
        if self.peek().kind != "op":
            return Term(FREE, "~", (key,), first.at)
        op: Operator = self.take().text  # type: ignore[assignment]
        values = [self.value(op, key)]
        while self.peek().kind == ",":
            self.take()
            values.append(self.value(op, key))
        return checked(Term(_key_of(key), op, tuple(values), first.at))

    def value(self, op: str, key: str) -> str:
        token = self.peek()
        if token.kind == "-" or (token.kind == "word" and not token.quoted):
            text = self.take().text
            # What hangs together without a blank is one value: -5, 12:30.
            while self.peek().joined and self.peek().kind in ("word", "op", "-") and not self.peek().quoted:
                text += self.take().text
            return text
        if token.kind in ("word", "OR", "AND", "NOT"):
            return self.take().text
        refuse("query.value_missing", token.at, key=key, op=op)


def terms(node: Node) -> Iterator[Term]:
    """The conditions of a query, in their order."""
    if isinstance(node, Term):
        yield node
    else:
        for each in (node.of,) if isinstance(node, Not) else node.of:
            yield from terms(each)


def _changed(node: Node, change: Callable[[Term], Node]) -> Node:
    """A query with another node for each of its conditions."""
    if isinstance(node, Term):
        return change(node)
    if isinstance(node, Not):
        return Not(_changed(node.of, change))
    return type(node)(tuple(_changed(each, change) for each in node.of))


def named(node: Node) -> dict[str, int]:
    """The saved searches that a query names (`in:NAME`), each with its place in the text."""
    return {name: term.at for term in terms(node) if term.key == IN for name in term.values}


def filled_in(node: Node, searches: Mapping[str, str]) -> Node:
    """A query with the texts of `searches` where it names them. Raises Invalid where that makes too many conditions."""

    def filled(term: Term) -> Node:
        if term.key != IN:
            return term
        texts = [parse(searches[name]) or EVERYTHING for name in dict.fromkeys(term.values)]
        found = Either(tuple(_changed(each, lambda inner: replace(inner, at=term.at)) for each in texts))
        return Not(found) if term.op == "!=" else found

    found = _changed(node, filled)
    if sum(1 for _ in terms(found)) > MAX_TERMS:
        refuse("query.too_many", max(named(node).values()), limit=MAX_TERMS)
    return found


def parse_property(text: str) -> Term:
    """The property that a text names as a query does (`Set.Name`), as a term that asks whether there is one.

    >>> parse_property('"Pset with blanks".FireRating').path
    ('Pset with blanks', 'FireRating')
    """
    found = parse(f"{text}:{ANY}")
    if not isinstance(found, Term) or found.path is None or found.op != ":" or found.values != (ANY,):
        refuse("query.property", 1, key=text)
    return found


def _key_of(text: str) -> str:
    """Keys of the language are known in any case, names of properties are as the model writes them."""
    return text.lower() if "." not in text or text.lower().startswith(f"{LIVE}.") else text


def checked(term: Term) -> Term:
    """The term, if its key is known and takes its operator and values. Raises Invalid."""
    key = LIVE if term.key.startswith(f"{LIVE}.") else term.key
    if term.path is not None:
        if not all(term.path):
            refuse("query.property", term.at, key=term.key)
        if term.op in NUMERIC:
            _number(term)
    elif key not in KEYS or key == "own":
        close = difflib.get_close_matches(key, KEYS, 1)
        refuse("query.unknown_key", term.at, key=term.key, keys=", ".join(close or KEYS))
    elif key == "has":
        unknown = next((value for value in term.values if value.lower() not in HAS), None)
        if unknown is not None or term.op not in _EQUALITY:
            refuse("query.unknown_has", term.at, value=unknown or term.op, values=", ".join(sorted(HAS)))
    elif term.op not in _takes(key):
        refuse(f"query.{'in_' if key == IN else ''}operator", term.at, key=term.key, op=term.op)
    elif key in NUMBERS | {LIVE} and not (term.op in _EQUALITY and set(term.values) <= {NONE, ANY}):
        _number(term)
    return term


def _takes(key: str) -> frozenset[str]:
    """The operators of a key other than `has`."""
    return _EQUALITY if key == IN else _EQUALITY | ({"~"} if key in WORDS else NUMERIC)


def _number(term: Term) -> None:
    if len(term.values) > 1:
        refuse("query.one_number", term.at, key=term.key)
    text = term.values[0]
    if not _NUMBER.fullmatch(text) or abs(float(text)) > LARGEST:
        refuse("query.number", term.at, key=term.key, value=text)
