"""Grants: which account or API key holds which role, and where (6.2.1c, 9.1.3)."""

from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from api.auditing import personal_data
from api.route import Caller, Limit, Router, Tx, allow, twin_of
from identity import accounts, grants
from identity.actor import PlaceKind
from identity.grants import GrantedPlace, HeldGrant
from twin import places
from twin.db import Conn
from twin.errors import Invalid
from twin.page import Page

router = Router(tags=["identity"])


class NewGrant(BaseModel):
    """A role for an account (id or name) or a key; at one place, or everywhere without any."""

    account: str | None = None
    key: UUID | None = None
    role: str
    site: str | None = None
    building: str | None = None
    storey: UUID | None = None
    system: UUID | None = None


@router.get("/grants")
@allow("account.read")
@personal_data
async def list_grants(
    tx: Tx,
    account: str | None = None,
    key: UUID | None = None,
    role: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[HeldGrant]:
    """Who holds which role where, by holder; of an account (id or name), of a key, or of a role."""
    account_id = (await accounts.get_account(tx, account)).id if account else None
    return await grants.list_grants(tx, account=account_id, key=key, role=role, limit=limit, cursor=cursor)


@router.get("/grants/places")
@allow("account.read")
async def list_places(tx: Tx, building: str | None = None) -> Page[GrantedPlace]:
    """What a grant may be limited to: sites and buildings; of one building its storeys and systems."""
    building_id = (await places.get_building(tx, building)).id if building else None
    return Page(await grants.list_places(tx, building_id))


@router.post("/grants", status_code=201)
@allow("grant.write")
async def give(tx: Tx, request: Request, caller: Caller, body: NewGrant) -> HeldGrant:
    """Give a role; it counts at once. Nobody gives what he does not hold himself at the whole of that place."""
    if (body.account is None) == (body.key is None):
        raise Invalid("grant.holder", where="account")
    account_id = (await accounts.get_account(tx, body.account)).id if body.account is not None else None
    place = await _place(tx, body)
    together = twin_of(request).settings.auditors_may_administer
    return await grants.give_grant(
        tx, caller, body.role, account=account_id, key=body.key, place=place, together=together
    )


async def _place(tx: Conn, body: NewGrant) -> tuple[PlaceKind, UUID] | None:
    found: list[tuple[PlaceKind, UUID]] = []
    if body.site is not None:
        found.append(("site", (await places.get_site(tx, body.site)).id))
    if body.building is not None:
        found.append(("building", (await places.get_building(tx, body.building)).id))
    if body.storey is not None:
        found.append(("storey", body.storey))
    if body.system is not None:
        found.append(("system", body.system))
    if len(found) > 1:
        raise Invalid("grant.one_place", where=found[1][0])
    return found[0] if found else None


@router.delete("/grants/{grant}", status_code=204)
@allow("grant.write")
async def take(tx: Tx, caller: Caller, grant: UUID) -> None:
    """Take a grant away; it counts at once, open sockets included."""
    await grants.take_grant(tx, caller, grant)
