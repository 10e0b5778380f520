"""argon2id, off the event loop: one check takes some 50 ms and 64 MiB on purpose."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash

from twin.errors import Invalid

SHORTEST = 10
LONGEST = 256
# Two at a time: many logins at once wait for each other instead of for memory.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_hasher = PasswordHash.recommended()


def check_strength(name: str, password: str) -> None:
    """Length, and not the account's own name. Raises Invalid."""
    if not SHORTEST <= len(password) <= LONGEST or password.casefold() == name.casefold() or len(set(password)) < 4:
        raise Invalid("account.password", where="password", shortest=SHORTEST, longest=LONGEST)


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, hash: str | None) -> bool:
    """Whether it is the one; `hash` None (no such account) costs the same time and is never true."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, hash)


def _verify(password: str, hash: str | None) -> bool:
    fits = _hasher.verify(password[:LONGEST], hash or _nobodys_hash())
    return fits and hash is not None


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def new_password() -> str:
    """20 characters that are not mixed up when read aloud; 100 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
