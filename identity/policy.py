"""What a password has to be: the setting `password_policy` picks one of two profiles (6.5.2b-2).

`asvs`, the default, follows OWASP ASVS 5.0, V6.2 (and NIST SP 800-63B-4): length counts, composition does not
(6.2.1, 6.2.5); commonly used passwords are refused, which covers the 3 000 most common ones that satisfy the length
(6.2.4, 6.2.12); so are words of the context (6.2.11) and what is one pattern repeated; nothing expires (6.2.10).
ASVS asks for 8 characters and recommends 15 for those who have no second factor. The default of 12 lies between:
what is guessed online is stopped by the lock-out, what is guessed offline costs 50 ms and 64 MiB a try, and 15 by
default would push people to `password1234567`. An installation sets `password_length` as it likes, from 8 on.

`dengbao` is what assessors of GB/T 22239 (8.1.4.1 a, "complexity, and changed regularly") expect: three of the four
kinds of characters, changed every `password_age` days, not one of the last `password_history`. The refusals of
`asvs` hold there as well, since the same clause wants passwords that are not easily guessed.
"""

import gzip
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from uuid import UUID

from identity.passwords import LONGEST, verify_password
from twin.db import Conn, rows
from twin.errors import Invalid
from twin.settings import Settings

COMMON = Path(__file__).with_name("common_passwords.txt.gz")
PRODUCT = (
    "twin",
    "digital",
    "building",
    "bim",
    "password",
    "passwort",
    "mima",
    "administrator",
    "admin",
    "welcome",
    "changeme",
)
FEWEST_DIFFERENT = 5
OWN_PART = 8  # characters that have to be left without the words of the context
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_LEET = str.maketrans("@4380!1$57", "aaeboilsst")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rules, as a form shows them."""

    profile: Literal["asvs", "dengbao"]
    shortest: int  # characters
    longest: int  # characters
    kinds: int  # how many of: lower case, upper case, digits, other
    age_days: int | None  # to be changed after so many days
    history: int  # not one of so many before

    def expired(self, changed_at: datetime, now: datetime) -> bool:
        """Whether a password that was set at `changed_at` has to be changed."""
        return self.age_days is not None and now >= changed_at + timedelta(days=self.age_days)


def policy_of(settings: Settings) -> PasswordPolicy:
    """The rules of an installation."""
    if settings.password_policy == "dengbao":  # noqa: S105  a name, no password
        age, history = settings.password_age.days, settings.password_history
        return PasswordPolicy("dengbao", settings.password_length, LONGEST, 3, age, history)
    return PasswordPolicy("asvs", settings.password_length, LONGEST, 1, None, 0)


DEFAULT = PasswordPolicy("asvs", 12, LONGEST, 1, None, 0)


def check_password(policy: PasswordPolicy, password: str, context: Iterable[str] = ()) -> None:
    """Raise Invalid with what is wrong. `context`: words that others guess: names of the account, of buildings."""
    if not policy.shortest <= len(password) <= policy.longest:
        raise Invalid("password.length", where="password", shortest=policy.shortest, longest=policy.longest)
    if sum(1 for kind in _KINDS if re.search(kind, password)) < policy.kinds:
        raise Invalid("password.kinds", where="password", kinds=policy.kinds)
    if is_pattern(password):
        raise Invalid("password.pattern", where="password", different=FEWEST_DIFFERENT)
    if is_common(password):
        raise Invalid("password.common", where="password")
    if is_of_context(password, context):
        raise Invalid("password.context", where="password", own=OWN_PART)


def is_pattern(password: str) -> bool:
    """Few different characters, one thing repeated, or mostly a run such as `abcdef` or `987654`."""
    plain = password.casefold()
    if len(set(plain)) < FEWEST_DIFFERENT or (len(plain) > 1 and plain in (plain + plain)[1:-1]):
        return True
    steps = [ord(after) - ord(before) for before, after in zip(plain, plain[1:], strict=False)]
    return max(steps.count(step) for step in (-1, 0, 1)) > 0.7 * len(steps)


def is_common(password: str) -> bool:
    """Whether it is in the list of common ones, also with digits and signs around it or letters spelt as digits."""
    plain = password.casefold()
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    spelt = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain.translate(_LEET))
    return any(_is_listed(candidate) for candidate in {plain, bare, spelt, plain.translate(_LEET)})


def is_of_context(password: str, context: Iterable[str]) -> bool:
    """Whether little is left without the words of the context, digits and signs."""
    words = {word for text in (*context, *PRODUCT) for word in re.split(r"[\W_]+", text.casefold()) if word}
    rest = password.casefold()
    for word in sorted(words, key=lambda word: (-len(word), word)):
        if len(word) >= 3 or not word.isascii():
            rest = rest.replace(word, " ")
    return rest != password.casefold() and len(re.sub(r"[\W\d_]", "", rest)) < OWN_PART


async def check_history(conn: Conn, account: UUID, password: str, policy: PasswordPolicy) -> None:
    """Raise Invalid for one of the last `policy.history` passwords of an account, the present one included."""
    if not policy.history:
        return
    used = await rows(
        conn,
        """SELECT password_hash FROM account WHERE id = %(id)s AND password_hash IS NOT NULL
           UNION ALL (SELECT password_hash FROM password_history WHERE account_id = %(id)s ORDER BY at DESC LIMIT %(n)s)
           LIMIT %(history)s""",
        {"id": account, "n": policy.history - 1, "history": policy.history},
    )
    for each in used:
        if await verify_password(password, each["password_hash"]):
            raise Invalid("password.used_before", where="password", history=policy.history)


def _is_listed(word: str) -> bool:
    return bool(word) and f"\n{word}\n".encode() in _common()


@cache
def _common() -> bytes:
    """The list as one piece of memory, a million bytes: searched in under a millisecond, a set would take tenfold."""
    return b"\n" + gzip.decompress(COMMON.read_bytes())
