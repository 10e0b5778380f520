"""Who acts: an account, a key, the command line, or the server itself; what they may do, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from identity.permissions import PERMISSIONS
from twin.errors import Denied

PlaceKind = Literal["site", "building", "storey", "system"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a grant holds. `buildings`: those of the site, or the one that the place is or lies in."""

    kind: PlaceKind
    id: UUID
    buildings: frozenset[UUID]
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held at a place; None: everywhere."""

    role: str
    permissions: frozenset[str]
    place: Place | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where something is allowed. `storeys` and `systems` name the building that each of them lies in."""

    everywhere: bool = False
    sites: frozenset[UUID] = frozenset()
    buildings: frozenset[UUID] = frozenset()  # whole ones, those of the sites included
    storeys: Mapping[UUID, UUID] = field(default_factory=dict)
    systems: Mapping[UUID, UUID] = field(default_factory=dict)

    @property
    def seen(self) -> frozenset[UUID]:
        """Buildings of which there is anything to see: their names are seen too."""
        return self.buildings | frozenset(self.storeys.values()) | frozenset(self.systems.values())

    def __and__(self, other: "Scope") -> "Scope":
        """Where both allow. A storey of the one and a system of the other do not meet: nothing is allowed there."""
        if self.everywhere or other.everywhere:
            return other if self.everywhere else self
        return Scope(
            sites=self.sites & other.sites,
            buildings=self.buildings & other.buildings,
            storeys=_both(self.storeys, self.buildings, other.storeys, other.buildings),
            systems=_both(self.systems, self.buildings, other.systems, other.buildings),
        )

    def __or__(self, other: "Scope") -> "Scope":
        """Where one of the two allows."""
        if self.everywhere or other.everywhere:
            return EVERYWHERE
        return Scope(
            sites=self.sites | other.sites,
            buildings=self.buildings | other.buildings,
            storeys={**self.storeys, **other.storeys},
            systems={**self.systems, **other.systems},
        )

    def covers(self, place: Place | None) -> bool:
        """Say whether the whole of a place lies inside; None is everywhere."""
        if self.everywhere or place is None:
            return self.everywhere
        if place.kind == "site":
            return place.id in self.sites
        return place.buildings <= self.buildings or place.id in self.storeys or place.id in self.systems


def _both(
    mine: Mapping[UUID, UUID], my_buildings: frozenset[UUID], others: Mapping[UUID, UUID], buildings: frozenset[UUID]
) -> dict[UUID, UUID]:
    kept = {part: building for part, building in mine.items() if part in others or building in buildings}
    return kept | {part: building for part, building in others.items() if building in my_buildings}


EVERYWHERE: Final = Scope(everywhere=True)
NOWHERE: Final = Scope()


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """Which API key calls, and how much it may: calls a minute and at once; None is the server's setting."""

    id: UUID
    rate: int | None
    concurrency: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as the audit trail names it: `account:NAME`, `key:NAME`, `cli` or `system`.

    `permissions` are those held anywhere; `scope` says where. Without `grants` they are held everywhere.
    """

    name: str
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    address: str | None = None
    key: KeyTerms | None = None  # of an API key
    grants: tuple[Grant, ...] = ()
    # For the audit trail; who acts is the same in another session.
    account_id: UUID | None = field(default=None, compare=False)  # of an account
    session: UUID | None = field(default=None, compare=False)  # the login it acts in
    _scopes: dict[str, Scope] = field(default_factory=dict, init=False, repr=False, compare=False)
    limits: dict[str | None, Mapping[str, str] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # of its transactions, kept by identity/access.py

    @property
    def account(self) -> str | None:
        """The account's name; None for keys, the command line and the server."""
        kind, _, name = self.name.partition(":")
        return name if kind == "account" else None

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str, building: UUID | None = None) -> None:
        """Raise Denied without `permission`: anywhere, or in the whole of a building."""
        if permission not in self.permissions:
            raise Denied("permission.missing", permission=permission)
        scope = self.scope(permission)
        if building is not None and not scope.everywhere and building not in scope.buildings:
            raise Denied("permission.elsewhere", permission=permission)

    def scope(self, permission: str) -> Scope:
        """Where a permission is held."""
        found = self._scopes.get(permission)
        if found is None:
            found = self._scopes[permission] = self._scope(permission)
        return found

    def _scope(self, permission: str) -> Scope:
        if permission not in self.permissions:
            return NOWHERE
        places = [grant.place for grant in self.grants if permission in grant.permissions]
        if not self.grants or None in places:
            return EVERYWHERE
        return _scope_of([place for place in places if place is not None])


def _scope_of(places: Iterable[Place]) -> Scope:
    by_kind: dict[PlaceKind, list[Place]] = {"site": [], "building": [], "storey": [], "system": []}
    for place in places:
        by_kind[place.kind].append(place)
    return Scope(
        sites=frozenset(place.id for place in by_kind["site"]),
        buildings=frozenset().union(*(place.buildings for kind in ("site", "building") for place in by_kind[kind])),
        storeys={place.id: next(iter(place.buildings)) for place in by_kind["storey"]},
        systems={place.id: next(iter(place.buildings)) for place in by_kind["system"]},
    )


def held(grants: Iterable[Grant]) -> frozenset[str]:
    """The permissions that grants give: those of the whole server only from grants that are not limited."""
    return frozenset(
        permission
        for grant in grants
        for permission in grant.permissions
        if grant.place is None or (permission in PERMISSIONS and PERMISSIONS[permission].scoped)
    )


SYSTEM = Actor("system", ("administrator",), frozenset(PERMISSIONS))
"""The server's own acts: timers, plans, imports."""
CLI = Actor("cli", ("administrator",), frozenset(PERMISSIONS))
"""Whoever may use the command line on the data folder may do everything."""
