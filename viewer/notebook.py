"""A model in a Jupyter notebook.

    from viewer.notebook import show, view
    show("Riverside Tower", storey="F03", color_by="temperature")
    view("building.ifc")

`show` asks a running server, with what its points say. `view` needs none: the file is read and meshed in sandboxed
processes, as an upload is.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pythreejs
from numpy.typing import NDArray

from ifc_models.extract import MODEL_FILE, MeshArrays, load_extract
from ifc_models.worker import run_worker
from twin.errors import Invalid
from viewer.notebook_server import Server
from viewer.notebook_show import ModelWidget, show
from viewer.palette import Layer
from viewer.tile_folder import FileStoreys
from viewer.whole import Assembled, assemble_whole

__all__ = ["ModelWidget", "Server", "show", "view"]
_FIELD_OF_VIEW = 40.0  # degrees


def view(model: str | Path, width: int = 960, height: int = 600, *, spaces: bool = False) -> pythreejs.Renderer:
    """Show an IFC file, or an extract folder, as a widget to turn and zoom; `width` and `height` in pixels.

    Rooms are left out unless `spaces`. Raises Invalid for a file that cannot be used or a model without geometry.
    """
    path = Path(model)
    if path.is_dir():
        return _renderer(_load(path, spaces=spaces), width, height)
    with TemporaryDirectory(prefix="twin-view-") as folder:
        _extract(path, Path(folder))
        return _renderer(_load(Path(folder), spaces=spaces), width, height)


def _extract(path: Path, folder: Path) -> None:
    """Run the worker from a thread of its own: a notebook's event loop is already running in this one."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(run_worker(path, folder))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="twin-view")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _load(folder: Path, *, spaces: bool) -> Assembled:
    if not (folder / MODEL_FILE).exists():
        raise Invalid("viewer.no_extract", where=str(folder))
    extract = load_extract(folder)
    storeys = FileStoreys(np.array([element.storey for element in extract.elements], dtype=np.int64))
    layers: list[Layer] = ["shell", "services", "furniture"]
    if spaces:
        layers.append("spaces")
    assembled = assemble_whole(extract, MeshArrays.load(folder), storeys, layers)
    if assembled is None:
        raise Invalid("viewer.no_geometry", where=extract.header.file_name)
    return assembled


def _renderer(model: Assembled, width: int, height: int) -> pythreejs.Renderer:
    extent = np.ptp(model.positions, axis=0)
    centre = model.positions.min(axis=0) + extent / 2
    positions = (model.positions - centre).astype(np.float32)
    radius = max(float(np.linalg.norm(extent)) / 2, 0.1)
    distance = radius / np.sin(np.radians(_FIELD_OF_VIEW / 2))
    eye = np.array([-0.6, -0.9, 0.7]) / np.linalg.norm([0.6, 0.9, 0.7]) * distance
    camera = pythreejs.PerspectiveCamera(
        fov=_FIELD_OF_VIEW, aspect=width / height, near=distance / 200, far=distance * 10, up=[0, 0, 1],
        position=eye.tolist(),
        children=[pythreejs.DirectionalLight(color="#ffffff", position=[0.3, 0.6, 1.0], intensity=0.6)],
    )  # fmt: skip
    camera.lookAt([0, 0, 0])
    shown = [camera, pythreejs.AmbientLight(color="#ffffff", intensity=0.55)]
    for triangles, transparent in ((model.opaque, False), (model.transparent, True)):
        if len(triangles):
            shown.append(_mesh(positions, model.normals, model.colours, triangles, transparent=transparent))
    if len(model.edges):
        shown.append(_lines(positions, model.edges))
    return pythreejs.Renderer(
        camera=camera,
        scene=pythreejs.Scene(children=shown, background="#f4f5f6"),
        controls=[pythreejs.OrbitControls(controlling=camera, target=(0, 0, 0))],
        antialias=True,
        width=width,
        height=height,
    )


def _mesh(
    positions: NDArray[np.float32],
    normals: NDArray[np.float32],
    colours: NDArray[np.float32],
    triangles: NDArray[np.uint32],
    *,
    transparent: bool,
) -> pythreejs.Mesh:
    used, index = np.unique(triangles.reshape(-1), return_inverse=True)
    geometry = pythreejs.BufferGeometry(
        attributes={
            "position": pythreejs.BufferAttribute(positions[used], normalized=False),
            "normal": pythreejs.BufferAttribute(normals[used], normalized=False),
            "color": pythreejs.BufferAttribute(colours[used, :3], normalized=False),
        },
        index=pythreejs.BufferAttribute(index.reshape(-1).astype(np.uint32), normalized=False),
    )
    material = pythreejs.MeshLambertMaterial(
        vertexColors="VertexColors",
        side="DoubleSide",
        transparent=transparent,
        opacity=float(colours[used, 3].mean()) if transparent else 1.0,
        depthWrite=not transparent,
        polygonOffset=True,  # edges lie on surfaces: push those back
        polygonOffsetFactor=1.0,
        polygonOffsetUnits=1.0,
    )
    return pythreejs.Mesh(geometry=geometry, material=material)


def _lines(positions: NDArray[np.float32], edges: NDArray[np.uint32]) -> pythreejs.LineSegments:
    geometry = pythreejs.BufferGeometry(
        attributes={"position": pythreejs.BufferAttribute(positions[edges.reshape(-1)], normalized=False)}
    )
    return pythreejs.LineSegments(geometry=geometry, material=pythreejs.LineBasicMaterial(color="#3a3f45"))
