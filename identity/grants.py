"""Grants: which account or key holds which role, and where. From them an Actor is made.

SQL reads the roles that somebody holds anywhere as `account.roles` and `api_key.roles`.

Nobody gives what he does not have; auditors do not administer; somebody can always administer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from identity import audit
from identity.actor import Actor, Grant, KeyTerms, Place, PlaceKind, held
from identity.permissions import ADMINISTERING, ADMINISTRATOR, AUDITOR, PERMISSIONS, ROLES
from identity.roles import find_permissions, role_names
from twin.db import Conn, objects, row, rows
from twin.errors import Conflict, Denied, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

ADMINISTRATORS_LOCK: Final = 0x61646D73  # "adms": who takes the role away from somebody waits for others who do

_LOAD: Final = """
    SELECT g.id, g.role, g.site_id, g.building_id, g.storey_id, g.system_id, r.permissions,
           coalesce(site.name, b.name, s.name, e.name, e.long_name, e.global_id) AS place_name,
           CASE WHEN g.site_id IS NOT NULL THEN ARRAY(SELECT o.id FROM building o WHERE o.site_id = g.site_id)
                ELSE ARRAY[coalesce(g.building_id, s.building_id, e.building_id)] END AS buildings
    FROM role_grant g
    LEFT JOIN role r ON r.name = g.role
    LEFT JOIN site ON site.id = g.site_id
    LEFT JOIN building b ON b.id = g.building_id
    LEFT JOIN storey s ON s.id = g.storey_id
    LEFT JOIN element_group e ON e.id = g.system_id
    WHERE {} = %s ORDER BY g.role, g.id
"""
_OF_ACCOUNT: Final = _LOAD.format("g.account_id")
_OF_KEY: Final = _LOAD.format("g.key_id")
_KINDS: Final[tuple[PlaceKind, ...]] = ("site", "building", "storey", "system")


async def actor_of_account(conn: Conn, account_id: UUID, name: str, *, address: str | None = None) -> Actor:
    """Who acts when this account does, with all its grants: one query. Whether it may sign in is not asked here."""
    grants = tuple(map(_grant, await rows(conn, _OF_ACCOUNT, (account_id,))))
    return Actor(f"account:{name}", _roles(grants), held(grants), address, None, grants)


async def actor_of_key(
    conn: Conn,
    key_id: UUID,
    name: str,
    *,
    address: str | None = None,
    scopes: Iterable[str] | None = None,
    terms: KeyTerms | None = None,
) -> Actor:
    """Who acts when this key does, with all its grants: one query. `scopes`: the permissions it has at most."""
    cap = None if scopes is None else frozenset(scopes)
    grants = tuple(_grant(found, cap) for found in await rows(conn, _OF_KEY, (key_id,)))
    return Actor(f"key:{name}", _roles(grants), held(grants), address, terms, grants)


def _grant(found: dict[str, Any], cap: frozenset[str] | None = None) -> Grant:
    own = found["permissions"]
    permissions = ROLES.get(found["role"], frozenset()) if own is None else frozenset(own).intersection(PERMISSIONS)
    kind = _kind(found)
    place = None
    if kind is not None:
        place = Place(kind, found[f"{kind}_id"], frozenset(found["buildings"]), found["place_name"])
    return Grant(found["role"], permissions if cap is None else permissions & cap, place, found["id"])


def _kind(found: dict[str, Any]) -> PlaceKind | None:
    return next((kind for kind in _KINDS if found[f"{kind}_id"] is not None), None)


def _roles(grants: Iterable[Grant]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(grant.role for grant in grants))


# What is granted


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    """Where a grant holds, with its name and that of its building."""

    kind: PlaceKind
    id: UUID
    name: str
    building: str | None  # of a storey or system


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A role that an account or a key holds; `place` null: everywhere."""

    id: UUID
    account_id: UUID | None
    account: str | None
    key_id: UUID | None
    key: str | None
    role: str
    place: GrantedPlace | None
    granted_by: str
    granted_at: datetime


_SELECT: Final = """
    SELECT g.id, g.account_id, a.name AS account, g.key_id, k.name AS key, g.role, g.granted_by, g.granted_at,
           g.site_id, g.building_id, g.storey_id, g.system_id, inside.name AS building,
           coalesce(site.name, b.name, s.name, e.name, e.long_name, e.global_id,
                    g.site_id::text, g.building_id::text, g.storey_id::text, g.system_id::text) AS place_name
    FROM role_grant g
    LEFT JOIN account a ON a.id = g.account_id
    LEFT JOIN api_key k ON k.id = g.key_id
    LEFT JOIN site ON site.id = g.site_id
    LEFT JOIN building b ON b.id = g.building_id
    LEFT JOIN storey s ON s.id = g.storey_id
    LEFT JOIN element_group e ON e.id = g.system_id
    LEFT JOIN building inside ON inside.id = coalesce(s.building_id, e.building_id)
"""


async def list_grants(
    conn: Conn,
    *,
    account: UUID | None = None,
    key: UUID | None = None,
    role: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[HeldGrant]:
    """Grants by the name of who holds them; of an account, a key, a role. A revoked key's are left out."""
    after = decode_cursor(cursor, 2)
    found = await rows(
        conn,
        _SELECT
        + """ WHERE (%(account)s::uuid IS NULL OR g.account_id = %(account)s)
                AND (%(key)s::uuid IS NULL OR g.key_id = %(key)s)
                AND (%(role)s::text IS NULL OR g.role = %(role)s)
                AND k.revoked_at IS NULL
                AND (%(name)s::text IS NULL OR (coalesce(a.name, k.name), g.id) > (%(name)s, %(id)s::uuid))
              ORDER BY coalesce(a.name, k.name), g.id LIMIT %(limit)s""",
        {
            "account": account,
            "key": key,
            "role": role,
            "name": after and after[0],
            "id": after and after[1],
            "limit": limit + 1,
        },
    )
    return page_of([_held(each) for each in found], limit, lambda grant: [grant.account or grant.key, grant.id])


async def grants_of(conn: Conn, accounts: Sequence[UUID]) -> dict[UUID, list[HeldGrant]]:
    """What each of these accounts holds."""
    found = await rows(
        conn, _SELECT + " WHERE g.account_id = ANY(%s) ORDER BY g.role, place_name, g.id", (list(accounts),)
    )
    held_by: dict[UUID, list[HeldGrant]] = {account: [] for account in accounts}
    for each in found:
        held_by[each["account_id"]].append(_held(each))
    return held_by


async def get_grant(conn: Conn, grant_id: UUID) -> HeldGrant:
    """One grant. Raises NotFound."""
    found = await row(conn, _SELECT + " WHERE g.id = %s", (grant_id,))
    if found is None:
        raise NotFound("grant.unknown", id=str(grant_id))
    return _held(found)


def _held(found: dict[str, Any]) -> HeldGrant:
    kind = _kind(found)
    return HeldGrant(
        **{name: found[name] for name in HeldGrant.__dataclass_fields__ if name != "place"},
        place=GrantedPlace(kind, found[f"{kind}_id"], found["place_name"], found["building"]) if kind else None,
    )


async def list_places(conn: Conn, building: UUID | None) -> list[GrantedPlace]:
    """What a grant may be limited to: all sites and buildings, or the storeys (lowest first) and systems of one."""
    if building is None:
        query: LiteralString = """
            SELECT kind, id, name, NULL AS building FROM (
              SELECT 'site' AS kind, id, name, name AS site, 0 AS n FROM site
              UNION ALL SELECT 'building', b.id, b.name, s.name, 1 FROM building b JOIN site s ON s.id = b.site_id
            ) found ORDER BY site, n, name"""
    else:
        query = """
            SELECT kind, id, name, (SELECT name FROM building WHERE id = %(building)s) AS building FROM (
              SELECT 'storey' AS kind, id, name, 0 AS n, elevation FROM storey WHERE building_id = %(building)s
              UNION ALL SELECT 'system', g.id, coalesce(g.name, g.long_name, g.global_id), 1, NULL FROM element_group g
                        JOIN model m ON m.id = g.model_id
                        WHERE g.building_id = %(building)s AND g.last_version = m.current_version
            ) found ORDER BY n, elevation NULLS LAST, name, id"""
    return await objects(conn, GrantedPlace, query, {"building": building})


# Giving and taking


async def give_grant(
    conn: Conn,
    actor: Actor,
    role: str,
    *,
    account: UUID | None = None,
    key: UUID | None = None,
    place: tuple[PlaceKind, UUID] | None = None,
    together: bool = False,
) -> HeldGrant:
    """Give a role to an account or a key; one that it holds already there is answered as it is.

    Raises Invalid (role, place), Denied (`grant.beyond`: the actor does not hold as much there), Conflict
    (`grant.apart`: an auditor does not administer; `together` lets it pass).
    """
    await _check_holder(conn, account, key)
    permissions = await find_permissions(conn, role)
    if permissions is None:
        raise Invalid("role.unknown", where="role", role=role[:60], roles=", ".join(await role_names(conn)))
    where = None if place is None else await _place(conn, *place)
    _check_beyond(actor, permissions, where)
    if not together:
        await _check_apart(conn, account, key, role, permissions)
    names: dict[str, Any] = {"account": account, "key": key, "role": role, "by": actor.name}
    names |= {kind: where.id if where and where.kind == kind else None for kind in _KINDS}
    made = await row(
        conn,
        """INSERT INTO role_grant (account_id, key_id, role, site_id, building_id, storey_id, system_id, granted_by)
           VALUES (%(account)s, %(key)s, %(role)s, %(site)s, %(building)s, %(storey)s, %(system)s, %(by)s)
           ON CONFLICT DO NOTHING RETURNING id""",
        names,
    )
    if made is None:
        return await _existing(conn, names)
    grant = await get_grant(conn, made["id"])
    await audit.record(conn, actor, "grant.give", _holder(grant), after=_shown(grant))
    return grant


async def _check_holder(conn: Conn, account: UUID | None, key: UUID | None) -> None:
    """Who is to hold a grant must be there; no other grant of the same holder is written meanwhile."""
    if account is not None and await row(conn, "SELECT FROM account WHERE id = %s FOR UPDATE", (account,)) is None:
        raise NotFound("account.unknown", name=str(account))
    if key is not None:
        live = "SELECT FROM api_key WHERE id = %s AND revoked_at IS NULL FOR UPDATE"
        if await row(conn, live, (key,)) is None:
            raise NotFound("key.unknown", id=str(key))


async def _existing(conn: Conn, names: dict[str, Any]) -> HeldGrant:
    found = await row(
        conn,
        _SELECT
        + """ WHERE g.role = %(role)s AND g.account_id IS NOT DISTINCT FROM %(account)s::uuid
                AND g.key_id IS NOT DISTINCT FROM %(key)s::uuid AND g.site_id IS NOT DISTINCT FROM %(site)s::uuid
                AND g.building_id IS NOT DISTINCT FROM %(building)s::uuid
                AND g.storey_id IS NOT DISTINCT FROM %(storey)s::uuid
                AND g.system_id IS NOT DISTINCT FROM %(system)s::uuid""",
        names,
    )
    if found is None:
        raise Conflict("grant.changing")
    return _held(found)


async def take_grant(conn: Conn, actor: Actor, grant_id: UUID) -> HeldGrant:
    """Take a grant away; it counts no more from the commit on. Raises NotFound, Denied, Conflict (last one)."""
    grant = await get_grant(conn, grant_id)
    permissions = await find_permissions(conn, grant.role) or frozenset()
    _check_beyond(actor, permissions, await _place(conn, grant.place.kind, grant.place.id) if grant.place else None)
    await conn.execute("DELETE FROM role_grant WHERE id = %s", (grant_id,))
    if grant.role == ADMINISTRATOR and grant.account_id is not None and grant.place is None:
        await check_administrator_left(conn)
    await audit.record(conn, actor, "grant.take", _holder(grant), before=_shown(grant))
    return grant


async def give_roles(
    conn: Conn, actor: Actor, roles: Sequence[str], *, account: UUID | None = None, key: UUID | None = None
) -> None:
    """Give several roles everywhere. Raises Invalid also for none at all, else as `give_grant`."""
    for role in roles or [""]:
        await give_grant(conn, actor, role, account=account, key=key)


async def check_administrator_left(conn: Conn) -> None:
    """Raise Conflict unless an account that can sign in is administrator of everything.

    To be called after the change and in its transaction, by whoever disables an account or takes a grant away.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (ADMINISTRATORS_LOCK,))
    left = await row(
        conn,
        """SELECT FROM role_grant g JOIN account a ON a.id = g.account_id
           WHERE g.role = %s AND num_nonnulls(g.site_id, g.building_id, g.storey_id, g.system_id) = 0
             AND NOT a.disabled LIMIT 1""",
        (ADMINISTRATOR,),
    )
    if left is None:
        raise Conflict("grant.last_administrator")


async def check_not_above(conn: Conn, actor: Actor, account_id: UUID) -> None:
    """Raise Denied when the account may do what the actor may not: its password, say, would be a way to more rights."""
    for grant in map(_grant, await rows(conn, _OF_ACCOUNT, (account_id,))):
        _check_beyond(actor, grant.permissions, grant.place)


async def check_key_not_above(conn: Conn, actor: Actor, key_id: UUID) -> None:
    """Raise Denied when the key, its scopes aside, may do what the actor may not: its secret would be more rights."""
    for grant in map(_grant, await rows(conn, _OF_KEY, (key_id,))):
        _check_beyond(actor, grant.permissions, grant.place)


def _check_beyond(actor: Actor, permissions: Iterable[str], place: Place | None) -> None:
    """Nobody gives, or takes from others, what he does not hold himself, there and with all that lies within."""
    for permission in PERMISSIONS:
        if permission not in permissions:
            continue
        given_there = place is None or PERMISSIONS[permission].scoped  # else a limited grant gives nothing of it
        if given_there and not actor.scope(permission).covers(place):
            raise Denied("grant.beyond", permission=permission)


async def _check_apart(
    conn: Conn, account: UUID | None, key: UUID | None, role: str, permissions: frozenset[str]
) -> None:
    found = await rows(
        conn,
        """SELECT DISTINCT g.role, r.permissions FROM role_grant g LEFT JOIN role r ON r.name = g.role
           WHERE g.account_id = %s OR g.key_id = %s""",
        (account, key),
    )
    others = {each["role"]: ROLES.get(each["role"]) or frozenset(each["permissions"] or ()) for each in found}
    administering = [name for name, own in {**others, role: permissions}.items() if own & ADMINISTERING]
    if (role == AUDITOR or AUDITOR in others) and administering:
        raise Conflict("grant.apart", where="role", role=administering[0])


_PLACES: Final = {
    "site": "SELECT ARRAY(SELECT id FROM building WHERE site_id = site.id) AS buildings FROM site WHERE id = %s",
    "building": "SELECT ARRAY[id] AS buildings FROM building WHERE id = %s",
    "storey": "SELECT ARRAY[building_id] AS buildings FROM storey WHERE id = %s",
    "system": "SELECT ARRAY[building_id] AS buildings FROM element_group WHERE id = %s",
}


async def _place(conn: Conn, kind: PlaceKind, place_id: UUID) -> Place:
    """Raises NotFound."""
    found = await row(conn, _PLACES[kind], (place_id,))
    if found is None:
        raise NotFound("grant.place", where=kind, kind=kind, id=str(place_id))
    return Place(kind, place_id, frozenset(found["buildings"]))


def _holder(grant: HeldGrant) -> str:
    return f"account:{grant.account_id}" if grant.account_id else f"key:{grant.key_id}"


def _shown(grant: HeldGrant) -> dict[str, str | None]:
    place = grant.place
    return {
        "grant": str(grant.id),
        "holder": f"account:{grant.account}" if grant.account_id else f"key:{grant.key}",
        "role": grant.role,
        "place": f"{place.kind}:{place.id}" if place else None,
    }
