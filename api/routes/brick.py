"""The graph of a building as Brick and BOT Turtle, out and in."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from api.clients import expensive
from api.route import Router, allow, no_transaction, transaction_of, twin_of
from api.streams import begun
from spatial.brick_export import export_graph
from twin import places

router = Router(tags=["graph"])
TURTLE = "text/turtle; charset=utf-8"


@router.get("/buildings/{building}/graph.ttl", response_class=StreamingResponse)
@allow("model.export")
@no_transaction
@expensive
async def get_graph(
    request: Request,
    building: str,
    derived: Annotated[bool, Query(description="false: only what files say, nothing that geometry says")] = True,
) -> Response:
    """The building's graph in Turtle: places, equipment, `feeds`, `isPartOf`, `hasLocation`, `isPointOf`."""
    async with transaction_of(request) as conn:
        found = await places.get_building(conn, building)
    network = await twin_of(request).networks.of(found.id)

    async def pieces() -> AsyncGenerator[bytes, None]:
        async with transaction_of(request) as conn:
            async for piece in export_graph(conn, network, found.id, derived=derived):
                yield piece

    headers = {"content-disposition": f'attachment; filename="graph-{found.id}.ttl"'}
    return StreamingResponse(await begun(pieces()), media_type=TURTLE, headers=headers)
