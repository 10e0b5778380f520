"""Row filters in the database (docs/decisions/0012): who may not see everything gets transactions that cannot.

Policies on every table with a place apply to the database role `twin_limited`. A limited transaction runs as that role
and carries in settings what its caller may see of each family of rows, so no query has to ask.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from identity.actor import EVERYWHERE, Actor, Scope
from identity.permissions import FAMILIES, PERMISSIONS
from twin.db import Conn, Database

NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "building": tuple(family for family in FAMILIES if family != "building"),
    "point": ("reading", "alarm"),
}
"""An alarm and a value come with the definition of their point, everything with the names of its building and storey:
who may read the one reads the other along with it. Lists of them take their own permission all the same."""


def limits_of(actor: Actor, permission: str | None) -> Mapping[str, str] | None:
    """The settings of a transaction in which `actor` does what needs `permission`; None: no limit is needed.

    What needs a permission of the whole server is about accounts, keys, the trail, not about places.

    Rows of a family are seen where the actor may read them and, both at once, do what it came for. Who may acknowledge
    alarms in one building and read them in two acknowledges in one.
    """
    try:
        return actor.limits[permission]
    except KeyError:
        found = actor.limits[permission] = _limits_of(actor, permission)
        return found


def _limits_of(actor: Actor, permission: str | None) -> Mapping[str, str] | None:
    if permission is not None and not PERMISSIONS[permission].scoped:
        return None
    purpose = EVERYWHERE if permission is None else actor.scope(permission)
    scopes = {family: _readable(actor, family) & purpose for family in FAMILIES}
    # Every route to jobs asks for a permission of theirs: to lack it is no reason to filter everything else.
    if all(scope.everywhere for family, scope in scopes.items() if family != "job" or actor.may("job.read")):
        return None
    return _settings(actor, scopes)


def _readable(actor: Actor, family: str) -> Scope:
    """Where an actor may read a family; what it may read elsewhere is read together with what that is about."""
    scope = actor.scope(f"{family}.read")
    for other in NAMED_BY.get(family, ()):
        scope = scope | actor.scope(f"{other}.read")
    return scope


def _settings(actor: Actor, scopes: Mapping[str, Scope]) -> dict[str, str]:
    found = {"twin.actor": actor.name}
    for family, scope in scopes.items():
        if scope.everywhere:
            found[f"twin.{family}_all"] = "on"
            continue
        parts = {
            "sites": scope.sites,
            "buildings": scope.buildings,
            "storeys": scope.storeys,
            "systems": scope.systems,
            "seen": scope.seen,
        }
        for part, ids in parts.items():
            if ids:
                found[f"twin.{family}_{part}"] = "{" + ",".join(sorted(map(str, ids))) + "}"
    return found


@asynccontextmanager
async def limited(db: Database, actor: Actor, permission: str | None) -> AsyncIterator[Conn]:
    """A transaction that sees and changes only what `actor` may when it does what needs `permission`."""
    limits = limits_of(actor, permission)
    async with db.transaction() if limits is None else db.limited_transaction(limits) as conn:
        yield conn


@asynccontextmanager
async def limited_to(db: Database, actor: Actor, scope: Scope) -> AsyncIterator[Conn]:
    """A transaction that sees what lies in `scope`, whatever the actor may read."""
    limits = None if scope.everywhere else _settings(actor, dict.fromkeys(FAMILIES, scope))
    async with db.transaction() if limits is None else db.limited_transaction(limits) as conn:
        yield conn
