"""A building of a running server in a Jupyter notebook: coloured by readings, with a time slider; a click says what
was hit. Drawn with pythreejs; a script may ask the same of the object that `show` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

import ipywidgets
import numpy as np
import pythreejs
from numpy.typing import NDArray

from twin.errors import Invalid
from viewer.notebook_mesh import Soup, soup_of
from viewer.notebook_server import Building, Server
from viewer.notebook_values import (
    NO_VALUE,
    Frames,
    Json,
    Quantity,
    Rgb,
    colour_of,
    limits_of,
    quantity_of,
    shown_at,
    stops_of,
)

FRAMES: Final = 97  # a day in quarters of an hour
_VIEW: Final = 40.0  # degrees
_STEPS: Final = 32_000  # of the longest side: positions travel as int16
_GHOST: Final = 0.10  # how much is left of what has no value
_PICKED: Final = "#d63af9"  # in none of the scales
_LAYERS: Final = ("shell", "services", "furniture")


def show(
    building: str,
    *,
    storey: str | None = None,
    color_by: str | None = None,
    hours: float = 24.0,
    until: datetime | None = None,
    server: str | Server | None = None,
    api_key: str | None = None,
    width: int = 960,
    height: int = 600,
) -> ModelWidget:
    """Show a building, or one storey of it, as a widget to turn, zoom and click.

    `building` and `storey` by name (part of a storey's is enough) or id. `color_by`: what its points measure, part of a
    Brick class, a quantity or a name ("temperature", "CO2", "power"); the slider then goes over the `hours` before
    `until` (now, by the server's clock, unless given). `server` and `api_key` come from TWIN_SERVER and TWIN_API_KEY
    unless given. Raises Invalid, which says what there is instead.

        show("Riverside Tower", storey="F03", color_by="temperature")
    """
    asked = server if isinstance(server, Server) else Server(server, api_key)
    return ModelWidget(asked.building(building), storey, color_by, hours, until, width, height)


class ModelWidget(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The widget that `show` returns. `picked` is the element that was clicked last, `values` what is shown now."""

    def __init__(
        self,
        building: Building,
        storey: str | None,
        color_by: str | None,
        hours: float,
        until: datetime | None,
        width: int,
        height: int,
    ) -> None:
        self.building = building
        self.picked: Json | None = None
        self.values: Mapping[str, float] = {}
        self.quantity: Quantity | None = None
        self.frames: Frames | None = None
        place = building.storey(storey) if storey else None
        if color_by:
            self.quantity = quantity_of(building.points, building.rooms, color_by)
            end = until or building.now()
            self.frames = building.frames(end - timedelta(hours=hours), end, FRAMES)
        soup = soup_of(building.tiles(place["id"] if place else None, self._layers()))
        if not len(soup.triangles):
            raise Invalid("viewer.no_geometry", where=place["name"] if place else building.name)
        self.scene = _Scene(soup, self._targets(soup), width, height)
        self._title = ipywidgets.HTML()
        self._said = ipywidgets.HTML(f"<i>{escape(_HINT)}</i>")
        self._place = str(place["name"]) if place else ""
        self.slider = ipywidgets.IntSlider(
            value=FRAMES - 1, min=0, max=FRAMES - 1, readout=False, layout=ipywidgets.Layout(flex="1")
        )
        self.scene.picker.observe(self._on_pick, names=["picked"])
        self.slider.observe(lambda _: self._recolour(), names=["value"])
        self._recolour()
        super().__init__([self._title, self.scene.renderer, *self._time(), self._said])

    def _layers(self) -> tuple[str, ...]:
        rooms = set(self.building.rooms.values())
        coloured = self.quantity is not None and any(each in rooms for each in self.quantity.targets.values())
        return (*_LAYERS, "spaces") if coloured else _LAYERS

    def _targets(self, soup: Soup) -> set[str] | None:
        if self.quantity is None:
            return None
        found = set(self.quantity.targets.values()) & set(soup.names)
        if not found:
            raise Invalid("viewer.unknown_quantity", where=self.quantity.name, choices="–")
        return found

    def _time(self) -> list[ipywidgets.Widget]:
        if self.frames is None:
            return []
        play = ipywidgets.Play(value=FRAMES - 1, min=0, max=FRAMES - 1, interval=250)
        ipywidgets.jslink((play, "value"), (self.slider, "value"))
        return [ipywidgets.HBox([play, self.slider])]

    @property
    def moment(self) -> datetime | None:
        """The moment that is shown, in local time; None without `color_by`."""
        return self.frames.moment(self.slider.value).astimezone() if self.frames else None

    def _recolour(self) -> None:
        """Colour the model as it was at the slider's moment; what was clicked says what it said then."""
        if self.picked is not None:
            self._said.value = _described(self.picked, self._said_by_points(self.picked))
        where = " · ".join(escape(text) for text in (self.building.name, self._place) if text)
        if self.quantity is None or self.frames is None or self.moment is None:
            self._title.value = f"<b>{where}</b>"
            return
        low, high = limits_of(self.quantity, self.frames)
        stops = stops_of(self.quantity)
        shown = shown_at(self.quantity, self.frames.at(self.slider.value))
        self.values = {name: value for name, value in shown.items() if name in self.scene.targets}
        self.scene.colour({name: colour_of(value, low, high, stops) for name, value in self.values.items()})
        missing = len(self.scene.targets) - len(self.values)
        counted = f"{len(self.values)} coloured" + (f", {missing} without a value" if missing else "")
        self._title.value = (
            f"<b>{where}</b> · {escape(self.quantity.name)} · {self.moment:%Y-%m-%d %H:%M} {_legend(low, high, stops)}"
            f" {escape(self.quantity.unit)} · {counted}"
        )

    def _on_pick(self, change: Mapping[str, Any]) -> None:
        """What was clicked: the coloured element nearest to the eye, or else whatever is."""
        hits = [(str(hit["object"]), hit["faceIndex"]) for hit in change["new"] or () if hit["faceIndex"] is not None]
        name = self.scene.element_of(hits)
        if name is not None:
            self.pick(name)

    def pick(self, global_id: str) -> Json:
        """Mark an element and print what is known of it, as a click does."""
        element = self.building.element(global_id)
        self.picked = element
        self.scene.mark(global_id)
        self._said.value = _described(element, self._said_by_points(element))
        return element

    def _said_by_points(self, element: Json) -> list[tuple[str, str]]:
        """Its points' names and values: those of the shown moment, or else the newest."""
        at = self.frames.at(self.slider.value) if self.frames else None
        room = element["id"] if element["ifc_class"] == "IfcSpace" else None
        found = []
        for point in self.building.points:
            if not point["element"]:
                continue
            if point["element"]["id"] != element["id"] and (room is None or point["space_id"] != room):
                continue
            latest = point["latest"]["value"] if point["latest"] else None
            value = latest if at is None or point["kind"] == "text" else at.get(point["handle"])
            found.append((str(point["name"]), _value_of(point, value)))
        return found


_HINT: Final = "Click an element to see what is known of it."


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _value_of(point: Json, value: float | bool | str | None) -> str:
    """What a point said, in the words that it has for it: a state by its label, a number with its unit."""
    if value is None:
        return "–"
    labels = point["labels"] or {}
    if point["kind"] == "bool":
        return str(labels.get("1" if value else "0") or ("on" if value else "off"))
    if point["kind"] == "enum":
        code = f"{value:.0f}" if isinstance(value, float) else str(value)
        return str(labels.get(code, code))
    return f"{_number(value)} {point['unit_symbol'] or point['unit'] or ''}".strip()


def _legend(low: float, high: float, stops: Sequence[Rgb]) -> str:
    ramp = ", ".join(f"rgb{stop}" for stop in stops)
    bar = f"display:inline-block;width:140px;height:10px;border-radius:5px;background:linear-gradient(to right,{ramp})"
    return f'{low:.4g} <span style="{bar}"></span> {high:.4g}'


def _described(element: Json, values: Sequence[tuple[str, str]]) -> str:
    """An element as a table: name, class, GlobalId, place, values, properties."""
    place = element["location"]
    rows: list[tuple[str, str]] = [
        ("Class", element["ifc_class"]),
        ("GlobalId", element["global_id"]),
        ("Storey", place["storey_name"] or "–"),
        ("Room", place["space_name"] or "–"),
        *values,
    ]
    for name, properties in {**element["psets"], **element["quantities"]}.items():
        for key, stated in properties.items():
            value = stated["value"] if isinstance(stated, Mapping) else stated
            unit = stated.get("unit") or "" if isinstance(stated, Mapping) else ""
            rows.append((f"{name}.{key}", f"{_number(value)} {unit}".strip()))
    cells = "".join(
        f'<tr><td style="padding-right:1em;opacity:.7">{escape(key)}</td><td>{escape(str(value))}</td></tr>'
        for key, value in rows
    )
    title = escape(str(element["name"] or element["global_id"]))
    return f'<b>{title}</b><div style="max-height:260px;overflow:auto"><table>{cells}</table></div>'


class _Scene:
    """Triangles as pythreejs has them: what is coloured apart from the rest, so that a new moment sends colours only.

    Positions are int16 steps of the building's longest side, colours bytes: a model of 500 000 triangles is 18 MB.
    """

    def __init__(self, soup: Soup, targets: set[str] | None, width: int, height: int) -> None:
        self._soup = soup
        low = soup.triangles.reshape(-1, 3).min(axis=0).astype(np.float64)
        high = soup.triangles.reshape(-1, 3).max(axis=0).astype(np.float64)
        self._middle = (low + high) / 2
        self._step = max(float((high - low).max()), 0.1) / _STEPS
        self.targets = targets or set()
        coloured = soup.rows_of(self.targets)
        # What is looked at: what is coloured, or else everything.
        seen = (soup.triangles[coloured] if coloured.any() else soup.triangles).reshape(-1, 3).astype(np.float64)
        self._aim = (seen.min(axis=0) + seen.max(axis=0)) / 2 - self._middle
        self._extent = np.ptp(seen, axis=0)
        self._coloured, self._others = soup.of(coloured), soup.of(~coloured, ~soup.edge_rows_of(self.targets))
        self._owners: dict[str, NDArray[np.int64]] = {}
        self._marked: pythreejs.Mesh | None = None
        self._group = pythreejs.Group(children=self._drawn(ghost=targets is not None))
        self.picker = pythreejs.Picker(controlling=self._group, event="click", all=True)
        self.renderer = self._renderer(width, height)

    def _drawn(self, *, ghost: bool) -> list[pythreejs.Object3D]:
        drawn: list[pythreejs.Object3D] = []
        if len(self._coloured.triangles):
            self._tint = np.tile(np.array(NO_VALUE, dtype=np.uint8), (len(self._coloured.triangles) * 3, 1))
            mesh = self._mesh(self._coloured, self._tint, 1.0)
            self._colours = mesh.geometry.attributes["color"]
            drawn.append(mesh)
        clear = self._others.colours[:, 3] < 255
        for rows, opacity in ((~clear, 1.0), (clear, 0.35)):
            part = self._others.of(rows)
            if len(part.triangles):
                colours = np.repeat(part.colours[:, :3], 3, axis=0)
                drawn.append(self._mesh(part, colours, _GHOST if ghost else opacity))
        if len(self._others.edges):
            drawn.append(self._lines(self._others.edges, 0.18 if ghost else 0.55))
        return drawn

    def _steps_of(self, corners: NDArray[np.float32]) -> NDArray[np.int16]:
        steps: NDArray[np.int16] = np.rint((corners.reshape(-1, 3) - self._middle) / self._step).astype(np.int16)
        return steps

    def _mesh(self, soup: Soup, colours: NDArray[np.uint8], opacity: float) -> pythreejs.Mesh:
        a, b, c = (soup.triangles[:, i].astype(np.float64) for i in range(3))
        face = np.cross(b - a, c - a)
        face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-30)
        normals = np.repeat(np.rint(face * 127), 3, axis=0).astype(np.int8)
        geometry = pythreejs.BufferGeometry(
            attributes={
                "position": pythreejs.BufferAttribute(self._steps_of(soup.triangles), normalized=False),
                "normal": pythreejs.BufferAttribute(normals, normalized=True),
                "color": pythreejs.BufferAttribute(colours, normalized=True),
            }
        )
        material = pythreejs.MeshLambertMaterial(
            vertexColors="VertexColors", side="DoubleSide", transparent=opacity < 1, opacity=opacity,
            depthWrite=opacity >= 1, polygonOffset=True, polygonOffsetFactor=1.0, polygonOffsetUnits=1.0,
        )  # fmt: skip
        mesh = pythreejs.Mesh(geometry=geometry, material=material, scale=[self._step] * 3)
        self._owners[mesh.model_id] = soup.owner
        return mesh

    def _lines(self, edges: NDArray[np.float32], opacity: float) -> pythreejs.LineSegments:
        geometry = pythreejs.BufferGeometry(
            attributes={"position": pythreejs.BufferAttribute(self._steps_of(edges), normalized=False)}
        )
        material = pythreejs.LineBasicMaterial(color="#3a3f45", transparent=True, opacity=opacity)
        return pythreejs.LineSegments(geometry=geometry, material=material, scale=[self._step] * 3)

    def _renderer(self, width: int, height: int) -> pythreejs.Renderer:
        radius = max(float(np.linalg.norm(self._extent)) / 2, 0.1)
        distance = radius / np.sin(np.radians(_VIEW / 2)) * (1.1 if self.targets else 0.8)
        # The flatter a storey is, the more from above: so one sees into its rooms.
        steep = 1.5 if self._extent[2] < 0.3 * max(self._extent[0], self._extent[1]) else 0.7
        towards = np.array([-0.6, -0.9, steep])
        eye = self._aim + towards / np.linalg.norm(towards) * distance
        # With a camera for its shadow, though it has none: else the browser asks for one, and ipywidgets 8 sends the
        # placeholder back as if it were a camera ("t.on is not a function" in the console).
        shadow = pythreejs.DirectionalLightShadow(camera=pythreejs.OrthographicCamera())
        sun = pythreejs.DirectionalLight(color="#ffffff", position=[0.3, 0.6, 1.0], intensity=0.5, shadow=shadow)
        camera = pythreejs.PerspectiveCamera(
            fov=_VIEW, aspect=width / height, near=distance / 200, far=distance * 20, up=[0, 0, 1],
            position=eye.tolist(), children=[sun],
        )  # fmt: skip
        camera.lookAt(self._aim.tolist())
        ambient = pythreejs.AmbientLight(color="#ffffff", intensity=0.65)
        self._scene = pythreejs.Scene(children=[camera, ambient, self._group], background="#f4f5f6")
        controls = [pythreejs.OrbitControls(controlling=camera, target=tuple(self._aim.tolist())), self.picker]
        return pythreejs.Renderer(
            camera=camera, scene=self._scene, controls=controls, antialias=True, width=width, height=height
        )

    def colour(self, colours: Mapping[str, Rgb]) -> None:
        """Colour the targets; those that are not named have no value."""
        table = np.tile(np.array(NO_VALUE, dtype=np.uint8), (len(self._soup.names), 1))
        for number, name in enumerate(self._soup.names):
            if name in colours:
                table[number] = colours[name]
        self._colours.array = np.repeat(table[self._coloured.owner], 3, axis=0)

    def element_of(self, hits: Sequence[tuple[str, int]]) -> str | None:
        """GlobalId of the first hit: (its mesh's id, number of the triangle), nearest first; what is coloured goes
        before. Lines, and what somebody else put into the scene, are looked through."""
        found = [(self._owners.get(mesh.removeprefix("IPY_MODEL_")), face) for mesh, face in hits]
        known = [self._soup.names[owners[face]] for owners, face in found if owners is not None]
        return next((name for name in known if name in self.targets), known[0] if known else None)

    def mark(self, global_id: str) -> None:
        """Draw one element over everything else."""
        part = self._soup.of(self._soup.rows_of({global_id}))
        kept = [child for child in self._scene.children if child is not self._marked]
        self._marked = None
        if len(part.triangles):
            geometry = pythreejs.BufferGeometry(
                attributes={"position": pythreejs.BufferAttribute(self._steps_of(part.triangles), normalized=False)}
            )
            material = pythreejs.MeshBasicMaterial(
                color=_PICKED, side="DoubleSide", transparent=True, opacity=0.55, depthTest=False
            )
            self._marked = pythreejs.Mesh(geometry=geometry, material=material, scale=[self._step] * 3)
            kept.append(self._marked)
        self._scene.children = kept
