"""Who did what."""

from typing import Annotated

from fastapi import Query

from api.route import Limit, Router, Tx, allow
from identity import audit
from identity.audit import AuditEntry
from twin.page import Page

router = Router(tags=["identity"])


@router.get("/audit")
@allow("audit.read")
async def list_audit(
    tx: Tx,
    actor: Annotated[str | None, Query(description="account:NAME, key:NAME, cli or system")] = None,
    object: Annotated[str | None, Query(description="kind:id")] = None,
    action: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """Who did what, newest first."""
    return await audit.list_entries(tx, actor=actor, object=object, action=action, limit=limit, cursor=cursor)
