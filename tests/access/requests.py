"""Requests made from the OpenAPI document: a route's parameters and body, filled with the objects of a building."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from api.openapi import document
from api.route import Access, TwinRoute
from api.routes import ROUTERS
from identity.permissions import PERMISSIONS
from tests.access.world import Building

API = "/api/v1"
PLACES = ("building", "storey", "model", "element", "space", "point", "asset", "alarm", "plan", "system")
"""Parameters and fields that name an object with a place; optional ones are given too, the first that there is."""
WALKED: Mapping[str, str] = {"start": "element", "stop": "pump"}
"""Fields of a round trip, and what they name."""
TIMES: Mapping[str, str] = {"ts": "2026-01-01T12:00:00Z", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
"""Fields that are a time, though their type is text: they answer a clear error instead of a schema's."""
NOTHING: Mapping[str, Any] = {}
SERVER_WIDE = frozenset({"account", "key_id", "key", "role", "grant", "session_id", "provider", "user", "policy"})


@dataclass(frozen=True)
class Route:
    """A route as its router knows it, and what OpenAPI says of it."""

    method: str
    path: str
    access: Access
    operation: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scoped(self) -> bool:
        """Say whether its permission can be limited to a place."""
        return self.access.permission is not None and PERMISSIONS[self.access.permission].scoped

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return list(self.operation.get("parameters", ()))

    @property
    def body(self) -> tuple[str, Mapping[str, Any]] | None:
        """Content type and schema of its body."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next(((kind, resolve(each["schema"])) for kind, each in content.items()), None)

    @property
    def names_a_place(self) -> bool:
        """Say whether its address, its query or its body names an object with a place."""
        names = [each["name"] for each in self.parameters if each["in"] == "path" or each["name"] in (*PLACES, "to")]
        names += [name for name in (self.body or ("", {}))[1].get("properties", {}) if name in PLACES]
        return any(name not in SERVER_WIDE for name in names)


@cache
def openapi() -> Any:
    """The document of the API."""
    return json.loads(document())


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without its outer `$ref` and null alternative."""
    if "$ref" in schema:
        return resolve(openapi()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return resolve(next(each for each in schema[several] if each.get("type") != "null"))
    return schema


def routes() -> Iterator[Route]:
    """Every route of every router."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, TwinRoute), f"{route} declares no permission"
            for method in sorted(route.methods or ()):
                operation = openapi()["paths"][API + route.path][method.lower()]
                yield Route(method, route.path, route.access, operation)


def request_of(route: Route, place: Building, others: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an httpx request to a route about things of `place`; `others` are accounts, keys and roles."""

    def known(name: str) -> Any:
        return others[name] if name in SERVER_WIDE else place.ref(name, route.path)

    path, query = route.path, {}
    for each in route.parameters:
        name = each["name"]
        if each["in"] == "path":
            path = path.replace(f"{{{name}}}", str(known(name)))
        elif each["in"] == "query" and (each.get("required") or name == "building"):
            about_it = name in (*PLACES, "from", "to") or name in SERVER_WIDE
            query[name] = str(known(name) if about_it else example(each["schema"], name, place))
    first = next((each["name"] for each in route.parameters if each["in"] == "query" and each["name"] in PLACES), None)
    if first is not None and not query:
        query[first] = str(known(first))
    made: dict[str, Any] = {"method": route.method, "url": path, "params": query}
    if route.body is not None:
        made |= _body(route.path, *route.body, place, others)
    return made


@cache
def _bcf() -> bytes:
    """The smallest BCF file: no topics."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("bcf.version", '<?xml version="1.0"?><Version VersionId="2.1"/>')
    return made.getvalue()


def _file(path: str, name: str) -> tuple[str, bytes]:
    if path.endswith("/graph"):
        return "graph.ttl", b"<urn:a> <https://brickschema.org/schema/Brick#feeds> <urn:b> ."
    if path == "/points/import":
        return "points.csv", f"key,name\nnew_{uuid4().hex[:8]},New\n".encode()
    return ("issues.bcf", _bcf()) if path == "/bcf" else (f"{name}.ifc", b"ISO-10303-21;")


def _body(
    path: str, kind: str, schema: Mapping[str, Any], place: Building, others: Mapping[str, Any]
) -> dict[str, Any]:
    if path.startswith("/quarantine/"):  # nothing of it is required, and nothing chosen is refused
        return {"json": {"filter": {"building": str(place.ref("building", path))}}}
    if kind != "multipart/form-data":
        return {"json": example(schema, "", place, others)}
    data: dict[str, str] = {}
    files: dict[str, Any] = {}
    for name in schema.get("required", ()):
        field = resolve(schema["properties"][name])
        if field.get("format") == "binary" or "contentMediaType" in field:
            files[name] = _file(path, name)
        else:
            data[name] = str(example(field, name, place, others))
    return {"data": data, "files": files}


def example(schema: Mapping[str, Any], name: str, place: Building, others: Mapping[str, Any] = NOTHING) -> Any:
    """A value that a schema takes: the object for a name that means one, else the simplest there is."""
    schema = resolve(schema)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, place, others)
    if name in others:
        return str(others[name])
    if name in WALKED and kind == "string" and "format" not in schema:
        return str(place.ids[WALKED[name]])
    if name in PLACES and kind == "string":
        return place.ids["key"] if name == "point" else str(place.ids[name])
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if kind == "array":
        item = example(schema["items"], name.removesuffix("s"), place, others)
        return [item] * max(1, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if kind == "string":
        formats = {
            "": TIMES.get(name, f"new_{uuid4().hex[:8]}"),
            "date-time": datetime.now(UTC).isoformat(),
            "uuid": str(uuid4()),
            "date": "2026-01-01",
        }
        return formats.get(schema.get("format", ""), f"new_{uuid4().hex[:8]}")
    return 1  # a value of any type


def _object(schema: Mapping[str, Any], place: Building, others: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    wanted = list(schema.get("required", ()))
    wanted += [name for name in ("account", *PLACES) if name in fields and name not in wanted][:1]
    return {name: example(fields[name], name, place, others) for name in wanted}
