"""Names of accounts: one form for each, and no two that look alike.

A name is NFKC, case-folded, of letters, digits and `. @ + - _`. Two rules keep `аdmin` with a Cyrillic а out, after
UTS 39 (Unicode security mechanisms):

- Its letters come from one script, or from Latin together with Han, kana, bopomofo or hangul (UTS 39's "highly
  restrictive" level): Chinese and Latin mix every day, Latin and Cyrillic only to deceive.
- Its *skeleton*, what it looks like, is no other account's: `сосо` in Cyrillic is refused while there is a Latin
  `coco`, `l1` while there is `ll`. The table of look-alikes below is the part of UTS 39's that survives NFKC and
  case folding and that the fonts of browsers do not tell apart; accents do not count.
"""

import re
import unicodedata

from twin.errors import Invalid

LONGEST = 64
_NAME = re.compile(r"\w[\w.@+-]{0,63}")
_TOGETHER = frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})
_SCRIPTS = {"CJK": "HAN", "IDEOGRAPHIC": "HAN", "KATAKANA-HIRAGANA": "KATAKANA"}  # by the first word of a letter's name

_ALIKE = {
    # Cyrillic
    **dict(zip("асԁеһіјӏорԛѕԝхуѵкмтвнгпиё", "acdehijlopqswxyvkmtbhrnue", strict=True)),
    # Greek
    **dict(zip("αικνορτυχωγε", "aikvoptuxwye", strict=True)),
    # Armenian
    **dict(zip("ցհոօքսյզ", "ghnopujq", strict=True)),
    # Latin letters that are others with a stroke or a tail
    **dict(zip("ıɑɡɩøłđħŧ", "iagioldht", strict=True)),
    # digits
    "0": "o",
    "1": "l",
    # kana and bopomofo that are Han, and what passes for a hyphen
    **dict(zip("カニロエトハタチミセヘ", "力二口工卜八夕千三七へ", strict=True)),
    **dict.fromkeys("ー一ㄧ丨", "-"),
    "囗": "口",
}
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def plain_name(name: str) -> str:
    """The form under which a name is looked up; nothing is refused here."""
    return unicodedata.normalize("NFKC", name).casefold()[:LONGEST]


def normal_name(name: str) -> str:
    """The form under which a new name is kept. Raises Invalid for what is no name and for mixed scripts."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    if not _NAME.fullmatch(plain):
        raise Invalid("account.name", where="name")
    scripts = scripts_of(plain)
    if len(scripts) > 1 and not scripts <= _TOGETHER:
        raise Invalid(
            "account.mixed_scripts", where="name", scripts=", ".join(sorted(each.title() for each in scripts))
        )
    return plain


def scripts_of(text: str) -> frozenset[str]:
    """The scripts of its letters and digits; ASCII digits and signs belong to all."""
    found = set()
    for sign in text:
        if sign.isalnum() and not (sign.isascii() and sign.isdigit()):
            first = unicodedata.name(sign, "UNKNOWN").split()[0]
            found.add(_SCRIPTS.get(first, first))
    return frozenset(found)


def skeleton(name: str) -> str:
    """What a name looks like: equal for names that people mistake for each other."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign))
    alike = unicodedata.normalize("NFC", "".join(_ALIKE.get(sign, sign) for sign in bare))
    for pair, one in _PAIRS:
        alike = alike.replace(pair, one)
    return alike
