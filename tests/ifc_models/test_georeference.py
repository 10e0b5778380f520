"""Where models say they lie on Earth, on real files; geometry stays in the building frame whatever they say."""

import numpy as np
import pytest

from ifc_models.mesh import mesh_model
from tests.ifc_models.conftest import SHARED, Find

GIS = "ifc4x3_samples/placements-and-gis-referencing"


@pytest.mark.parametrize(
    ("name", "crs", "eastings", "northings"),
    [
        ("geographic-referencing-utm", "EPSG:25832", 458_657.30, 5_438_232.25),
        ("geographic-referencing-gk", "EPSG:31467", 3_458_715.92, 5_439_966.65),
    ],
)
def test_a_map_conversion_is_read_and_moves_no_vertex(
    extract_of: Find, name: str, crs: str, eastings: float, northings: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = extract_of(f"{GIS}/{name}/{name}.ifc").georeference
    assert place is not None
    assert (place.crs, place.eastings, place.northings, place.orthogonal_height) == (crs, eastings, northings, 113.7)
    # XAxisAbscissa 0.2706, XAxisOrdinate 0.9627: the x axis points 74.3° from grid east.
    assert place.rotation == pytest.approx(74.3, abs=0.01)
    assert place.scale == 1000.0  # of a file in millimetres
    folder = tmp_path_factory.mktemp("mesh")
    result = mesh_model(SHARED / "ifc" / GIS / name / f"{name}.ifc", None, folder)
    assert set(result.rung.values()) == {"ifclite"}
    assert np.abs(np.load(folder / "instance_matrix.npy")[:, :3, 3]).max() < 1000


def test_true_north_and_the_sites_coordinates_are_read(extract_of: Find) -> None:
    house = extract_of("arch/AC20-FZK-Haus.ifc").georeference
    assert house is not None
    assert house.latitude == pytest.approx(49.1004, abs=1e-3)
    assert house.longitude == pytest.approx(8.4365, abs=1e-3)
    assert house.elevation == pytest.approx(110.0)
    assert house.true_north == pytest.approx(50.0)  # degrees, clockwise from y
