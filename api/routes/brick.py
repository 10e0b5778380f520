"""The graph of a building as Brick and BOT Turtle, out and in."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.datastructures import UploadFile

from api.clients import expensive
from api.graphs import forget, take_in
from api.route import Caller, Router, Tx, allow, no_transaction, once, transaction_of, twin_of
from api.streams import begun
from identity import audit
from spatial.brick_export import export_graph
from spatial.brick_import import BrickImport, get_import, list_imports
from twin import places
from twin.errors import Invalid
from twin.page import Page

router = Router(tags=["graph"])
TURTLE: Final = "text/turtle"
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": "Turtle, UTF-8"}},
                }
            },
            TURTLE: {"schema": {"type": "string"}},
        },
    }
}


@router.get("/buildings/{building}/graph.ttl", response_class=StreamingResponse)
@allow("model.export")
@no_transaction
@expensive
async def get_graph(
    request: Request,
    building: str,
    derived: Annotated[bool, Query(description="false: only what files say, nothing that geometry says")] = True,
) -> Response:
    """The building's graph in Turtle: places, equipment, points; `feeds`, `isPartOf`, `hasLocation`, `isPointOf`."""
    async with transaction_of(request) as conn:
        found = await places.get_building(conn, building)
    network = await twin_of(request).networks.of(found.id)

    async def pieces() -> AsyncGenerator[bytes, None]:
        async with transaction_of(request) as conn:
            async for piece in export_graph(conn, network, found.id, derived=derived):
                yield piece

    headers = {"content-disposition": f'attachment; filename="graph-{found.id}.ttl"'}
    return StreamingResponse(await begun(pieces()), media_type=f"{TURTLE}; charset=utf-8", headers=headers)


@router.post("/buildings/{building}/graph", status_code=201, response_model=BrickImport, openapi_extra=BODY)
@allow("model.upload")
@no_transaction
@expensive
async def add_graph(request: Request, caller: Caller, building: str) -> Response:
    """Take in a Brick graph for what IFC does not say, matched by GlobalId, key or name; says what became of it.

    The same file again replaces itself.
    """
    twin = twin_of(request)
    data, name = await _turtle_of(request)
    async with transaction_of(request) as conn:
        place = await places.get_building(conn, building)
    graph, source = await twin.graphs.read(data, name, caller.name)
    await twin.networks.of(place.id)  # built, where it has to be, while no transaction is open
    async with transaction_of(request) as conn:

        async def act() -> Response:
            taken = await take_in(conn, twin.networks, place.id, graph, source, caller, datetime.now(UTC))
            told = {"file": name, "triples": taken.triples, "taken": taken.report.taken}
            await audit.record(conn, caller, "graph.import", f"building:{place.id}", after=told)
            return JSONResponse(jsonable_encoder(taken), 201)

        return await once(request, conn, act)


async def _turtle_of(request: Request) -> tuple[bytes, str]:
    """The Turtle of a request, as its body or as the form field `file`, and what the file is called."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body(), "graph.ttl"
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid("graph.no_file", where="file")
        return await file.read(), PurePath(file.filename or "graph.ttl").name[:200]


@router.get("/buildings/{building}/graph/imports")
@allow("model.read")
async def get_graphs(tx: Tx, building: str) -> Page[BrickImport]:
    """The graphs that were taken in, newest first, with what became of each."""
    return Page(await list_imports(tx, (await places.get_building(tx, building)).id))


@router.get("/buildings/{building}/graph/imports/{graph}")
@allow("model.read")
async def get_graph_import(tx: Tx, building: str, graph: UUID) -> BrickImport:
    """One graph that was taken in."""
    return await get_import(tx, (await places.get_building(tx, building)).id, graph)


@router.delete("/buildings/{building}/graph/imports/{graph}", status_code=204)
@allow("model.upload")
async def delete_graph(tx: Tx, caller: Caller, building: str, graph: UUID) -> None:
    """Forget a graph: what it said, and the points that it bound."""
    place = await places.get_building(tx, building)
    found = await forget(tx, place.id, graph, caller, datetime.now(UTC))
    await audit.record(tx, caller, "graph.delete", f"building:{place.id}", before={"file": found.name})
