"""What the names of points and elements mean: words, abbreviations, numbers, by the table `vocabulary.toml`.

`VAV-7_ZN-T` is zone and temperature, of something called `vav 7`; `一号空调机组送风温度` the same kind of thing.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

_PIECES: Final = re.compile(r"[a-zäöüßéèà]+|[0-9]+|[㐀-鿿]+")
_HUMP: Final = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")
_CAPITALS: Final = re.compile(r"(?<![A-Za-z])([A-Z]+)([A-Z][a-z]+)")
_UUID: Final = re.compile(r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}", re.IGNORECASE)
_NUMERALS: Final = {char: str(n) for n, char in enumerate("零一二三四五六七八九十")}
_ZONE: Final = frozenset({"media:zone"})
_LONGEST: Final = 6  # words of a phrase
_GERMAN: Final = str.maketrans({"ß": "ss"})


@dataclass(frozen=True, slots=True)
class Words:
    """The table, turned round."""

    phrases: Mapping[tuple[str, ...], frozenset[str]]  # words → what they mean: measure, medium, role or equipment
    split: frozenset[str]  # words that a run of letters may be made of
    han: tuple[str, ...]  # Chinese words, longest first
    kinds: Mapping[str, str]  # meaning → measures | media | roles | equipment | rooms
    fits: Mapping[str, tuple[str, ...]]  # meaning → equipment that has it
    quantities: Mapping[str, str]  # QUDT quantity → measure
    ifc: Mapping[str, tuple[str, ...]]  # IFC class → equipment
    brick: Mapping[str, str]  # Brick class → equipment
    qualifiers: frozenset[str]


@cache
def words() -> Words:
    """The vocabulary."""
    table = tomllib.loads(files("telemetry").joinpath("vocabulary.toml").read_text("utf-8"))
    phrases: dict[tuple[str, ...], set[str]] = {}
    kinds: dict[str, str] = {}
    for section in ("measures", "media", "roles", "equipment", "rooms"):
        for name, entry in table[section].items():
            meaning = f"{section}:{name}"
            kinds[meaning] = section
            for word in entry if section == "rooms" else entry["words"]:
                phrases.setdefault(tuple(_pieces(word.lower())), set()).add(meaning)
    sections = ("measures", "media", "roles")
    for short, names in table["short"].items():
        meant = {f"{section}:{name}" for name in names for section in sections if name in table[section]}
        phrases[(short,)] = meant
    ifc: dict[str, list[str]] = {}
    for name, entry in table["equipment"].items():
        for each in entry["ifc"]:
            ifc.setdefault(each, []).append(name)
    letters = {word for phrase in phrases for word in phrase if (word[0].isalpha() and word.isascii()) or "ü" in word}
    return Words(
        phrases={phrase: frozenset(meant) for phrase, meant in phrases.items()},
        split=frozenset(word for word in letters if len(word) > 1),
        han=tuple(sorted((p[0] for p in phrases if len(p) == 1 and "㐀" <= p[0][0] <= "鿿"), key=len, reverse=True)),
        kinds=kinds,
        fits={f"{s}:{n}": tuple(e["fits"]) for s in ("measures", "media") for n, e in table[s].items()},
        quantities={q: n for n, e in table["measures"].items() for q in e.get("quantities", ())},
        ifc={name: tuple(found) for name, found in ifc.items()},
        brick={each: name for name, entry in table["equipment"].items() for each in entry["brick"]},
        qualifiers=frozenset(table["qualifiers"]["words"]),
    )


def _pieces(text: str) -> list[str]:
    """Words, numbers and runs of Chinese, in lower case: `Room3_left` is room, 3, left."""
    spaced = _CAPITALS.sub(_apart, _HUMP.sub(" ", _UUID.sub(" ", text))).lower().translate(_GERMAN)
    return [_number(each) for each in _PIECES.findall(spaced)]


def _apart(found: re.Match[str]) -> str:
    """Capitals before a word: `KIhumid` is KI, humid where that is a word, `XMLValue` XML, Value."""
    capitals, word = found[1] + found[2][0], found[2][1:]
    table = words().phrases
    known = (word,) in table and (found[2].lower(),) not in table
    return f"{capitals} {word}" if known else f"{found[1]} {found[2]}"


def _number(piece: str) -> str:
    return (piece.lstrip("0") or "0") if piece.isdigit() else piece


def tokens(text: str) -> list[str]:
    """Pieces with runs of letters and of Chinese cut into words that are known, where they are made of such."""
    found: list[str] = []
    for piece in _pieces(text):
        if "㐀" <= piece[0] <= "鿿":
            found += _cut_han(piece)
        elif piece[0].isalpha() and len(piece) > 3 and (piece,) not in words().phrases:
            found += _cut(piece)
        else:
            found.append(piece)
    return found


def _cut(piece: str) -> list[str]:
    """The fewest known words that a run of letters is made of, or itself: `vavrm` is vav, rm."""
    best: list[list[str] | None] = [[]] + [None] * len(piece)
    for end in range(1, len(piece) + 1):
        for start in range(max(0, end - 16), end - 1):
            before = best[start]
            if before is not None and piece[start:end] in words().split:
                made = [*before, piece[start:end]]
                held = best[end]
                if held is None or len(made) < len(held):
                    best[end] = made
    return best[len(piece)] or [piece]


def _cut_han(piece: str) -> list[str]:
    """Known Chinese words, and what stands between them; 一号 is 1."""
    for word in words().han:
        before, found, after = piece.partition(word)
        if found:
            return [*(_cut_han(before) if before else ()), word, *(_cut_han(after) if after else ())]
    numbers = re.fullmatch(r"第?([一二三四五六七八九十])[号#层楼]?", piece)
    return [_NUMERALS[numbers[1]]] if numbers else [piece]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text speaks of. `identity`: the words that say which one, with equipment and rooms by their meaning."""

    measures: frozenset[str]
    media: frozenset[str]
    roles: frozenset[str]
    equipment: frozenset[str]
    identity: tuple[str, ...]


def meaning_of(*texts: str | None) -> Meaning:
    """What some texts speak of together."""
    meant: set[str] = set()
    identity: dict[str, None] = {}
    for text in texts:
        before, number, gap = frozenset[str](), None, 0
        for phrase, meanings in _phrases(tokens(text)) if text else ():
            meant |= meanings
            identity |= dict.fromkeys(_telling(phrase, meanings))
            if phrase[0].isdigit() and number is not None and gap <= 1:  # storey 3, room 12: neither says it alone
                identity[f"{number}.{phrase[0]}"] = None
            gap = 0 if phrase[0].isdigit() else gap + 1 if len(phrase[0]) < 3 or meanings == _ZONE else 9
            number = phrase[0] if phrase[0].isdigit() else number
            if phrase[0].isdigit():  # the seventh VAV box is another thing than the seventh pump
                identity |= dict.fromkeys(f"{each}#{phrase[0]}" for each in sorted(before) if _numbered(each))
            before = meanings
    of: dict[str, set[str]] = {}
    for each in meant:
        of.setdefault(words().kinds[each], set()).add(each.partition(":")[2])
    measures, media, roles, equipment = (
        frozenset(of.get(section, ())) for section in ("measures", "media", "roles", "equipment")
    )
    return Meaning(measures, media, roles, equipment, tuple(identity))


def _numbered(meaning: str) -> bool:
    return words().kinds[meaning] in ("equipment", "rooms") or meaning == "media:zone"


def _telling(phrase: tuple[str, ...], meanings: frozenset[str]) -> Iterator[str]:
    """What of a phrase says which thing is meant: its equipment or room, or words that mean nothing here."""
    telling = [each for each in sorted(meanings) if words().kinds[each] in ("equipment", "rooms")]
    if not meanings:
        yield from phrase
    yield from telling


def _phrases(found: list[str]) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """The longest known phrases from left to right; a single letter means something at an end only."""
    table, n = words().phrases, 0
    while n < len(found):
        for length in range(min(_LONGEST, len(found) - n), 0, -1):
            phrase = tuple(found[n : n + length])
            meanings = table.get(phrase)
            if meanings and (length > 1 or len(phrase[0]) > 1 or not phrase[0].isascii() or n == len(found) - 1):
                yield phrase, meanings
                n += length
                break
        else:
            yield (found[n],), frozenset()
            n += 1


def equipment_of(ifc_class: str, predefined: str | None, brick_class: str | None, said: Meaning) -> frozenset[str]:
    """What an element is: by its class, and of classes that are several things, what its name says."""
    table = words()
    exact = table.ifc.get(f"{ifc_class}.{predefined}")
    found = set(exact or table.ifc.get(ifc_class, ()))
    if brick_class and brick_class in table.brick:
        return frozenset({table.brick[brick_class]})
    if len(found) != 1 and said.equipment:
        return frozenset(found & said.equipment) or said.equipment
    return frozenset(found)


def measure_of(quantity: str | None) -> str | None:
    """The measure that a QUDT quantity kind is, where it is one only."""
    return words().quantities.get(quantity or "")


def words_of(meaning: str) -> str:
    """A word of an identity as people write it."""
    return (meaning.partition(":")[2] or meaning).replace("#", " ")
