"""`twin import` on the models of ../shared/ifc: what is reported is what ifcopenshell itself finds in the file.

`make test` takes every model but the largest ones, and of the folders of near-equal small ones every sixth;
`make drill` takes all.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import ifcopenshell
import pytest

from tests.conftest import SHARED, Cluster
from tests.serving import run_twin

MODELS = sorted(path for path in (SHARED / "ifc").rglob("*") if path.suffix.lower() in (".ifc", ".ifczip"))
REFUSED = ("legacy_schema",)  # IFC2X_FINAL and older: a clear message instead
READABLE = [path for path in MODELS if not any(part in REFUSED for part in path.parts)]
SERIES = ("ifc4x3_samples", "versions")  # many small files that differ in a detail
LARGE = 3_000_000  # bytes
ALIKE = [path for path in READABLE if any(part in SERIES for part in path.parts)]
CHOSEN = [path for path in READABLE if path in ALIKE[::6] or (path not in ALIKE and path.stat().st_size < LARGE)]


@pytest.fixture(scope="module")
def reports(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The report of every chosen model."""
    yield from imported(CHOSEN, cluster, tmp_path_factory)


@pytest.fixture(scope="module")
def all_reports(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The report of every model."""
    yield from imported(READABLE, cluster, tmp_path_factory)


def imported(
    models: list[Path], cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, dict[str, Any]]]:
    """Import the models by one command into one building."""
    if not models:
        pytest.skip(f"no models in {SHARED / 'ifc'}")
    name = f"all_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    done = run_twin(
        "import", *map(str, models), "--building", "X", "--json",
        data=tmp_path_factory.mktemp("all"), database=cluster.url(name), timeout=900,
        TWIN_IMPORT_EXACT_TIME="PT5S",  # the rail model alone would take two minutes more; boxes count as well
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"after {models[len(lines) - 1]}: {lines[-1:]} {done.stderr[-2000:]}"
    yield dict(zip((str(path) for path in models), map(json.loads, lines), strict=True))
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.mark.timeout(1000)
@pytest.mark.clause("6.4.2a-1")
@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.name)
def test_every_product_of_the_file_is_in_the_report(
    reports: dict[str, dict[str, Any]], path: Path, tmp_path: Path
) -> None:
    compare(reports[str(path)], path, tmp_path)


@pytest.mark.drill
@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_every_product_of_every_file_is_in_its_report(
    all_reports: dict[str, dict[str, Any]], path: Path, tmp_path: Path
) -> None:
    compare(all_reports[str(path)], path, tmp_path)


def compare(report: dict[str, Any], path: Path, tmp_path: Path) -> None:
    """Check the report against what ifcopenshell finds."""
    file = _open(path, tmp_path)
    products = file.by_type("IfcProduct")
    openings = {each.id() for each in file.by_type("IfcFeatureElementSubtraction")}
    assert report["by_class"] == dict(Counter(each.is_a() for each in products))
    elements = [each for each in file.by_type("IfcElement") if each.id() not in openings]
    assert report["elements"] == len(elements)
    assert report["storeys"] == len(file.by_type("IfcBuildingStorey"))
    assert report["spaces"] == len(file.by_type("IfcSpace"))
    bodies = [each for each in products if each.id() not in openings and _has_body(each)]
    assert report["with_geometry"] + len(report["without_geometry"]) >= len(bodies)
    assert all(each["reason"] for each in report["degraded"] + report["without_geometry"])
    assert report["added"] + report["changed"] + report["unchanged"] == len(products)


def _has_body(product: Any) -> bool:
    shape = product.Representation
    return shape is not None and any(
        each.RepresentationIdentifier == "Body" and each.Items for each in shape.Representations
    )


def _open(path: Path, scratch: Path) -> ifcopenshell.file:
    """Open as ifcopenshell would, with the schema names that it refuses replaced."""
    if path.suffix.lower() == ".ifczip":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0])
    else:
        text = path.read_bytes()
    for name in (
        b"'IFC4X3'",
        b"'IFC4X3_ADD1'",
        b"'IFC4X3_RC1'",
        b"'IFC4X3_RC2'",
        b"'IFC4X3_RC3'",
        b"'IFC4X3_RC4'",
        b"'IFC4X3_TC1'",
    ):
        text = text.replace(name, b"'IFC4X3_ADD2'", 1)
    copy = scratch / "model.ifc"
    copy.write_bytes(text)
    return ifcopenshell.open(str(copy))


@pytest.mark.parametrize("path", [path for path in MODELS if path not in READABLE], ids=lambda path: path.name)
def test_an_old_schema_is_refused_with_a_code_and_a_place(database_url: str, path: Path, tmp_path: Path) -> None:
    done = run_twin("import", str(path), "--building", "X", "--json", data=tmp_path / "data", database=database_url)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and error["code"].startswith("ifc.") and error["where"], error
