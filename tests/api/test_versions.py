"""A real model, edited with ifcopenshell and uploaded again: what changed is found, what was bound stays."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import ifcopenshell
import ifcopenshell.api.geometry
import ifcopenshell.api.pset
import ifcopenshell.api.root
import ifcopenshell.guid
import ifcopenshell.util.placement
import pytest

from tests.serving import Server, wait_for_job

HOUSE = "arch/AC20-FZK-Haus.ifc"


@dataclass
class Edited:
    """What was done to the house."""

    path: Path
    moved: str  # GlobalIds of the first version
    renamed: str
    deleted: str
    added: str
    property_of: str
    keys: dict[str, str] = field(default_factory=dict)  # old GlobalId → new one

    def now(self, global_id: str) -> str:
        """The GlobalId of an element in the edited file."""
        return self.keys.get(global_id, global_id)


def edit(source: Path, target: Path) -> Edited:
    """Move a wall, rename a space, delete a window, add a chair, add a property, new GlobalIds for a third."""
    file = ifcopenshell.open(str(source))
    wall = _placed_alone(file, "IfcWallStandardCase")
    matrix = ifcopenshell.util.placement.get_local_placement(wall.ObjectPlacement)
    matrix[0][3] += 0.25
    ifcopenshell.api.geometry.edit_object_placement(file, product=wall, matrix=matrix, is_si=False)
    space = file.by_type("IfcSpace")[0]
    space.LongName = "Renamed in version two"
    windows = sorted(file.by_type("IfcWindow"), key=lambda each: str(each.GlobalId))
    deleted, property_of = windows[0], windows[1]
    edited = Edited(target, wall.GlobalId, space.GlobalId, deleted.GlobalId, "", property_of.GlobalId)
    ifcopenshell.api.root.remove_product(file, product=deleted)
    pset = ifcopenshell.api.pset.add_pset(file, product=property_of, name="Twin_Test")
    ifcopenshell.api.pset.edit_pset(file, pset=pset, properties={"Glazing": "triple"})
    chair = file.create_entity("IfcFurnishingElement", ifcopenshell.guid.new(), wall.OwnerHistory, "A new chair")
    chair.ObjectPlacement = space.ObjectPlacement
    rel = next(r for r in file.by_type("IfcRelContainedInSpatialStructure"))
    rel.RelatedElements = [*rel.RelatedElements, chair]
    edited.added = chair.GlobalId
    chosen = random.Random(4)
    for product in file.by_type("IfcProduct"):
        if product != chair and chosen.random() < 1 / 3:
            edited.keys[product.GlobalId] = product.GlobalId = ifcopenshell.guid.new()
    file.write(str(target))
    return edited


def _placed_alone(file: ifcopenshell.file, ifc_class: str) -> Any:
    """An element without openings, on whose placement nothing else stands."""
    for element in file.by_type(ifc_class):
        if not element.HasOpenings and not element.ObjectPlacement.ReferencedByPlacements:
            return element
    raise AssertionError(f"no {ifc_class} stands alone")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Edited:
    return edit(shared / "ifc" / HOUSE, tmp_path_factory.mktemp("house") / "house.ifc")


@dataclass
class Bound:
    """The house in the server, both versions, with something bound to elements of the first."""

    client: httpx.Client
    building: str
    model: str
    house: Edited
    ids: dict[str, str]  # GlobalId in version 1 → server id
    report: dict[str, Any]

    def get(self, path: str, **params: object) -> Any:
        return self.client.get(path, params=params).raise_for_status().json()  # type: ignore[arg-type]


def upload(client: httpx.Client, building: str, path: Path, model: str = "house") -> dict[str, Any]:
    """Upload and wait; the report."""
    with path.open("rb") as file:
        answer = client.post("/models", data={"building": building, "model": model}, files={"file": (path.name, file)})
    assert answer.status_code == 202, answer.text
    job = wait_for_job(client, answer.json()["id"])
    assert job["state"] == "done", job["error"]
    report: dict[str, Any] = job["result"]
    return report


def all_items(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every item of a list."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(path, params=params | ({"cursor": cursor} if cursor else {})).raise_for_status().json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


@pytest.fixture(scope="module")
def bound(server: Server, house: Edited, shared: Path) -> Iterator[Bound]:
    """Version 1 with bindings, then version 2."""
    with server.client() as client:
        building = client.post("/buildings", json={"name": "Versioned house"}).raise_for_status().json()["id"]
        upload(client, building, shared / "ifc" / HOUSE)
        [model] = client.get("/models", params={"building": building}).raise_for_status().json()["items"]
        ids = {e["global_id"]: e["id"] for e in all_items(client, "/elements", model=model["id"], limit=1000)}
        _bind(client, building, house, ids)
        report = upload(client, building, house.path)
        yield Bound(client, building, model["id"], house, ids, report)


def _bind(client: httpx.Client, building: str, house: Edited, ids: dict[str, str]) -> None:
    """A point, an asset, an order and own properties for elements that are edited or renumbered; one has an alarm."""
    for n, global_id in enumerate(_bound_to(house)):
        point = {"key": f"house.{n}", "name": f"P{n}", "building": building, "kind": "number", "unit": "DEG_C"}
        client.post("/points", json=point | {"element": ids[global_id]}).raise_for_status()
        asset = {"building": building, "code": f"H-{n}", "name": f"Asset {n}", "element": ids[global_id]}
        client.post("/assets", json=asset).raise_for_status()
        order = {"building": building, "title": f"Look at {n}", "element": ids[global_id]}
        client.post("/work-orders", json=order).raise_for_status()
        client.patch(f"/elements/{ids[global_id]}", json={"own_properties": {"checked": n}}).raise_for_status()
    rule = {"name": "Warm", "point": "house.0", "kind": "high", "limit": 28, "severity": "high"}
    client.post("/alarm-rules", json=rule).raise_for_status()
    reading = {"point": "house.0", "ts": datetime.now(UTC).isoformat(), "value": 31.0}
    client.post("/readings", json={"readings": [reading]}).raise_for_status()


def _bound_to(house: Edited) -> list[str]:
    """GlobalIds of version 1: two that get another one, the moved wall, the renamed room, the changed window."""
    rekeyed = [g for g in house.keys if g not in (house.moved, house.deleted)]
    return list(dict.fromkeys((*rekeyed[-2:], house.moved, house.renamed, house.property_of)))


def assert_bindings(bound: Bound, global_ids: list[str]) -> None:
    """What was bound to these elements (GlobalIds of version 1) still is."""
    for global_id in global_ids:
        n = _bound_to(bound.house).index(global_id)
        element = bound.get(f"/elements/{bound.ids[global_id]}")
        assert element["own_properties"] == {"checked": n}
        assert [p["key"] for p in element["points"]] == [f"house.{n}"]
        assert element["asset"]["code"] == f"H-{n}"
        assert [o["title"] for o in element["orders"]] == [f"Look at {n}"]
        if n == 0:
            assert len(element["alarms"]) == 1


@pytest.mark.clause("6.4.2a-1")
def test_new_global_ids_are_recognised_and_what_was_bound_stays(bound: Bound) -> None:
    house = bound.house
    matches = all_items(bound.client, f"/models/{bound.model}/versions/2/matches", limit=20)
    certain = {m["old_global_id"]: m["new_global_id"] for m in matches if m["kind"] == "certain"}
    likely = {m["old_global_id"]: m["new_global_id"] for m in matches if m["kind"] == "likely"}
    lost = [m["old_global_id"] for m in matches if m["kind"] == "lost"]
    expected = {old: new for old, new in house.keys.items() if old != house.deleted}
    assert certain | likely == expected
    assert lost == [house.deleted]
    # Not sure of: a wall that moved too, and lines without name or shape that lie on each other.
    of_class = {m["ifc_class"] for m in matches if m["kind"] == "likely" and m["old_global_id"] != house.moved}
    assert of_class <= {"IfcAnnotation", "IfcVirtualElement"}
    assert bound.report["matched"] == {"certain": len(certain), "likely": len(likely), "lost": 1}
    renumbered = next(g for g in _bound_to(house) if g in certain)
    element = bound.get(f"/elements/{renumbered}", model=bound.model)  # an old link
    assert (element["id"], element["global_id"]) == (bound.ids[renumbered], certain[renumbered])
    assert_bindings(bound, [g for g in _bound_to(house) if g not in likely])


@pytest.mark.clause("6.4.2a-1")
def test_when_a_person_has_confirmed_what_was_likely_exactly_the_edits_are_left(bound: Bound) -> None:
    house, path = bound.house, f"/models/{bound.model}/versions/2/matches"
    for match in all_items(bound.client, path, state="waiting"):
        done = bound.client.post(f"{path}/{match['id']}/confirm").raise_for_status().json()
        assert (done["state"], done["old_id"], done["new_id"]) == ("confirmed", match["old_id"], match["old_id"])
        again = bound.client.post(f"{path}/{match['id']}/confirm")
        assert (again.status_code, again.json()["code"]) == (409, "match.decided")
    assert_bindings(bound, _bound_to(house))
    items = all_items(bound.client, f"/models/{bound.model}/diff", limit=50)
    by_id = {item["element_id"]: item for item in items}
    assert [i["global_id"] for i in items if i["kind"] == "added"] == [house.added]
    assert [i["global_id"] for i in items if i["kind"] == "removed"] == [house.deleted]
    moved = by_id[bound.ids[house.moved]]
    assert (moved["kind"], moved["distance"]) == ("moved", pytest.approx(0.25, abs=1e-3))
    assert properties(by_id[bound.ids[house.renamed]]) == [("", "long_name", "Renamed in version two")]
    assert properties(by_id[bound.ids[house.property_of]]) == [("Twin_Test", "Glazing", "triple")]
    for global_id in (house.moved, house.renamed, house.property_of):  # an element tells the same of itself
        now, before = bound.get(f"/elements/{bound.ids[global_id]}/versions")
        item = by_id[bound.ids[global_id]]
        assert (now["since"], before["since"], before["until"]) == (2, 1, 2)
        assert (now["current"], before["current"], before["changes"]) == (True, False, [])
        assert set(item["changes"]) <= set(now["changes"])
        assert properties(now) == properties(item)
    [only] = bound.get(f"/elements/{bound.ids[house.deleted]}/versions")
    assert (only["since"], only["until"], only["current"], only["differences"]) == (1, 2, False, [])
    rekeyed = {i["old_global_id"]: i["global_id"] for i in items if "global_id" in i["changes"]}
    assert rekeyed == {old: new for old, new in house.keys.items() if old != house.deleted}
    edits = {bound.ids[g] for g in (house.moved, house.renamed, house.property_of)}
    assert {i["element_id"] for i in items if i["kind"] in ("moved", "changed")} - edits == set()
    page = bound.get(f"/models/{bound.model}/diff", limit=1)
    assert page["counts"] == {
        "added": 1, "removed": 1, "moved": 1, "changed": 2,
        "rekeyed": len(rekeyed) - len(edits & {bound.ids[g] for g in house.keys}),
    }  # fmt: skip


def properties(item: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """The changed properties of a difference with what they are now."""
    return [(d["set"], d["name"], d["after"]) for d in item["differences"] if d["change"] == "properties"]


def test_differences_are_filtered_and_a_table_holds_them_all(bound: Bound) -> None:
    path = f"/models/{bound.model}/diff"
    windows = all_items(bound.client, path, ifc_class="IfcWindow", change="properties")
    assert [w["element_id"] for w in windows] == [bound.ids[bound.house.property_of]]
    assert all_items(bound.client, path, q="new chair")[0]["global_id"] == bound.house.added
    answer = bound.client.get(f"{path}.csv", params={"from": 1, "to": 2}).raise_for_status()
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len({r["global_id"] for r in rows}) == len(all_items(bound.client, path, detail=False))
    [glazing] = [r for r in rows if r["property"] == "Glazing"]
    assert (glazing["set"], glazing["before"], glazing["after"]) == ("Twin_Test", "", "triple")
    for bad, code in (({"kind": "x"}, "diff.kind"), ({"change": "x"}, "diff.change")):
        refused = bound.client.get(path, params=bad)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert bound.client.get(path, params={"from": 1, "to": 9}).status_code == 404


def test_a_match_in_force_is_undone_and_corrected(bound: Bound) -> None:
    path = f"/models/{bound.model}/versions/2/matches"
    bound_to = _bound_to(bound.house)[0]
    [match] = [m for m in all_items(bound.client, path) if m["old_id"] == bound.ids[bound_to]]
    undone = bound.client.post(f"{path}/{match['id']}/reject").raise_for_status().json()
    assert undone["state"] == "rejected"
    old = bound.get(f"/elements/{match['old_id']}")
    new = bound.get(f"/elements/{undone['new_id']}")
    assert (old["current"], old["global_id"]) == (False, match["old_global_id"])
    assert (new["current"], new["global_id"], new["points"]) == (True, match["new_global_id"], [])
    assert_bindings(bound, [bound_to])
    same = bound.client.post(f"{path}/{match['id']}/correct", json={"element": match["old_id"]})
    assert same.json()["code"] == "match.same"
    there = bound.client.post(f"{path}/{match['id']}/correct", json={"element": bound.house.renamed})
    assert there.json()["code"] in ("match.not_new", "element.unknown")
    fixed = bound.client.post(f"{path}/{match['id']}/correct", json={"element": match["new_global_id"]})
    assert fixed.raise_for_status().json()["state"] == "corrected"
    now = bound.get(f"/elements/{match['old_id']}")
    assert (now["current"], now["global_id"]) == (True, match["new_global_id"])
    assert_bindings(bound, [bound_to])
    actions = [each["action"] for each in bound.get("/audit", limit=50)["items"]]
    assert {"match.confirm", "match.reject", "match.correct"} <= set(actions)


def roll_back(bound: Bound, version: int) -> dict[str, Any]:
    """Go back to a version and wait; the report."""
    answer = bound.client.post(f"/models/{bound.model}/rollback", json={"version": version})
    assert answer.status_code == 202, answer.text
    job = wait_for_job(bound.client, answer.json()["id"])
    assert job["state"] == "done", job["error"]
    report: dict[str, Any] = job["result"]
    return report


@pytest.mark.clause("6.4.2a-1")
def test_an_earlier_version_is_shown_again_and_then_the_later_one(bound: Bound) -> None:
    tiles = bound.get(f"/models/{bound.model}/versions/1/tileset.json")
    report = roll_back(bound, 1)
    assert (report["version"], report["restored"]) == (3, 1)
    assert bound.get(f"/models/{bound.model}/diff", **{"from": 1, "to": 3})["items"] == []
    shown = {e["global_id"]: e["id"] for e in all_items(bound.client, "/elements", model=bound.model, limit=1000)}
    assert shown == bound.ids
    assert contents(bound.get(f"/buildings/{bound.building}/tileset.json")) == contents(tiles)
    assert_bindings(bound, _bound_to(bound.house))
    versions = bound.get(f"/models/{bound.model}/versions")["items"]
    assert [(v["version"], v["kind"], v["restored"]) for v in versions] == [
        (3, "rollback", 1), (2, "upload", None), (1, "upload", None),
    ]  # fmt: skip
    shown_already = bound.client.post(f"/models/{bound.model}/rollback", json={"version": 3})
    assert (shown_already.status_code, shown_already.json()["code"]) == (409, "model.version_shown")
    forward = roll_back(bound, 2)
    assert (forward["version"], forward["restored"]) == (4, 2)
    assert bound.get(f"/models/{bound.model}/diff", **{"from": 2, "to": 4})["items"] == []
    assert_bindings(bound, _bound_to(bound.house))


def contents(tileset: dict[str, Any]) -> set[str]:
    """The hashes of a tileset's tiles."""
    return {child["content"]["uri"].rsplit("/", 1)[1] for child in tileset["root"]["children"]}


def test_the_same_file_again_reads_and_meshes_nothing(bound: Bound) -> None:
    report = upload(bound.client, bound.building, bound.house.path)
    assert (report["added"], report["changed"], report["removed"]) == (0, 0, 0)
    assert report["unchanged"] == sum(report["by_class"].values())
    assert "read" not in report["seconds"]
    assert report["reused"] == report["version"] - 1
    assert_bindings(bound, _bound_to(bound.house))
