"""Who acts: an account, a key, the command line, or the server itself."""

from dataclasses import dataclass
from uuid import UUID

from identity.permissions import PERMISSIONS
from twin.errors import Denied


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """Which API key calls, and how much it may: calls a minute and at once; None is the server's setting."""

    id: UUID
    rate: int | None
    concurrency: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as the audit trail names it: `account:NAME`, `key:NAME`, `cli` or `system`."""

    name: str
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    address: str | None = None
    key: KeyTerms | None = None  # of an API key

    @property
    def account(self) -> str | None:
        """The account's name; None for keys, the command line and the server."""
        kind, _, name = self.name.partition(":")
        return name if kind == "account" else None

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Denied without `permission`."""
        if permission not in self.permissions:
            raise Denied("permission.missing", permission=permission)


SYSTEM = Actor("system", ("administrator",), frozenset(PERMISSIONS))
"""The server's own acts: timers, plans, imports."""
CLI = Actor("cli", ("administrator",), frozenset(PERMISSIONS))
"""Whoever may use the command line on the data folder may do everything."""
