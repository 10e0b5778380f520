"""The notebook widget, built from real files without a browser."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pythreejs

from tests.conftest import SHARED
from twin.errors import Invalid
from viewer.notebook import view


def meshes(widget: pythreejs.Renderer) -> list[pythreejs.Mesh]:
    return [child for child in widget.scene.children if isinstance(child, pythreejs.Mesh)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_ifc_file_becomes_a_widget_to_turn() -> None:
    widget = view(SHARED / "ifc/arch/OpenSmartHome_04_Flat.ifc", 640, 480)
    assert (widget.width, widget.height) == (640, 480)
    assert isinstance(widget.controls[0], pythreejs.OrbitControls)
    opaque, *_ = meshes(widget)
    positions = opaque.geometry.attributes["position"].array
    assert positions.dtype == np.float32
    assert len(opaque.geometry.index.array) % 3 == 0
    assert opaque.geometry.index.array.max() == len(positions) - 1
    assert np.abs(positions).max() < 20  # about its own centre
    normals = opaque.geometry.attributes["normal"].array
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=0.02)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rooms_are_shown_when_asked_for(extract_of: Callable[[str], Path]) -> None:
    folder = extract_of("arch/Duplex_A_20110907.ifc")
    without, with_rooms = (
        sum(len(m.geometry.index.array) for m in meshes(view(folder, spaces=s))) for s in (False, True)
    )
    assert with_rooms > without


def test_a_folder_without_an_extract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        view(tmp_path)
    assert refused.value.code == "viewer.no_extract"
