"""The renderer in a real Chromium, on tiles of the real writer: pixels, picking, states, recovery."""

import base64
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from tests.browser.engine import CUPBOARD, FAR, ROOM, SLAB, STOREY, WALL, look_into, open_tower, pick
from tests.browser.tower import HEIGHT, SIZE, global_id

pytestmark = pytest.mark.browser

RESET = """async () => {
  scene.showAll(); scene.setColors(null); scene.setAlarms(null); scene.select([]);
  scene.highlight([]); scene.setMarkers([]); scene.cutAbove(null); scene.setClipPlanes([]);
  scene.setLayer('furniture', true); scene.setLayer('spaces', false);
  await scene.plan(null, {duration: 0}); await scene.setView('iso', {duration: 0}); scene.render(); events.length = 0;
}"""


@pytest.fixture(scope="module")
def shared(chromium: Browser, engine_site: str) -> Iterator[Page]:
    page = open_tower(chromium, engine_site, "tower")
    yield page
    page.close()


@pytest.fixture
def page(shared: Page) -> Page:
    """A tower of 3 storeys with 30 elements each, as it looks when it has just been loaded."""
    shared.mouse.move(0, 0)
    shared.evaluate(RESET)
    return shared


def test_the_first_picture_has_what_tells_most_and_the_rest_follows_by_itself(
    chromium: Browser, engine_site: str
) -> None:
    """90 000 triangles: before anything is known of the machine that is too many for a first picture."""
    page = open_tower(chromium, engine_site, "tower")
    pictures = page.evaluate(
        """async (wall) => {
          const go = scene.hold();
          await scene.load('crowd/tileset.json');
          go();
          const canvas = document.querySelector('canvas'), copy = new OffscreenCanvas(400, 300).getContext('2d');
          const seen = (p) => [...copy.getImageData(Math.round(p.x), Math.round(p.y), 1, 1).data].slice(0, 3);
          const pictures = [];
          for (let frames = scene.stats().frames; !pictures.at(-1)?.whole; ) {
            await new Promise(requestAnimationFrame);
            const { whole, triangles, frames: now } = scene.stats();
            if (now === frames) continue;
            frames = now;
            copy.drawImage(canvas, 0, 0);
            const { min, max } = scene.boxOf(wall);
            const face = scene.project([min[0], (min[1] + max[1]) / 2, (min[2] + max[2]) / 2]);
            pictures.push({ whole, triangles, wall: seen(face), sky: seen({ x: 3, y: 3 }) });
          }
          return pictures;
        }""",
        global_id(2, "IfcWall"),
    )
    first, last = pictures[0], pictures[-1]
    assert not first["whole"]
    assert 15_000 < first["triangles"] < 31_000
    assert last["triangles"] > 89_000
    assert max(abs(a - b) for a, b in zip(first["wall"], last["wall"], strict=True)) < 60  # there, without its shadows
    assert max(abs(a - b) for a, b in zip(first["wall"], first["sky"], strict=True)) > 20
    page.close()


def test_what_tiles_are_drawn_with_is_compiled_before_one_is_there(chromium: Browser, engine_site: str) -> None:
    page = chromium.new_page()
    page.add_init_script(
        """{ const { linkProgram } = WebGL2RenderingContext.prototype; window.linked = 0;
          WebGL2RenderingContext.prototype.linkProgram = function (p) { linked++; linkProgram.call(this, p); }; }"""
    )
    page.goto(f"{engine_site}/engine.html")
    page.wait_for_function("window.scene?.stats().frames > 0")
    assert page.evaluate("linked") >= 4  # the sky; surfaces, glass and edges
    page.close()


def test_every_element_arrives(page: Page) -> None:
    assert page.evaluate("scene.elementCount") == 90
    assert page.evaluate("scene.layers") == ["furniture", "shell", "spaces"]
    assert page.evaluate("scene.storeys") == [global_id(s, "IfcBuildingStorey") for s in range(3)]
    assert page.evaluate("events") == []


def test_a_recoloured_element_changes_its_pixels_and_gets_its_own_colour_back(page: Page) -> None:
    look_into(page)
    before, red, after = page.evaluate(
        """async id => {
          const p = at(id);
          const before = await pixel(p.x, p.y);
          scene.setColors(new Map([[id, [230, 20, 20]]]));
          const red = await pixel(p.x, p.y);
          scene.setColors(null);
          return [before, red, await pixel(p.x, p.y)];
        }""",
        CUPBOARD,
    )
    assert red[0] > 180
    assert max(red[1:]) < 110
    assert after == before
    assert abs(before[1] - red[1]) > 40


def test_pick_names_the_element_under_a_pixel_and_the_point(page: Page) -> None:
    look_into(page)
    assert pick(page, CUPBOARD) == CUPBOARD
    hit = page.evaluate("id => { const p = at(id); return scene.pick(p.x, p.y); }", CUPBOARD)
    assert (hit["storey"], hit["layer"]) == (STOREY, "furniture")
    assert hit["point"][2] == pytest.approx(HEIGHT + 1.0, abs=0.005)
    box = page.evaluate("id => scene.boxOf(id)", CUPBOARD)
    assert all(box["min"][i] - 0.1 <= hit["point"][i] <= box["max"][i] + 0.1 for i in range(2))
    assert page.evaluate("scene.pick(1, 1)") is None


@pytest.mark.parametrize(
    "away",
    [
        "scene.hide([id])",
        "scene.ghost([id])",
        "scene.isolate([slab])",
        "scene.isolate([slab], 'hide')",
        "scene.setLayer('furniture', false)",
    ],
)
def test_what_cannot_be_seen_is_picked_through(page: Page, away: str) -> None:
    look_into(page)
    seen = "const p = at(id, 0.5); const was = pickAt(p);"
    script = f"([id, slab]) => {{ {seen} {away}; scene.render(); return [was, pickAt(p)]; }}"
    assert page.evaluate(script, [CUPBOARD, SLAB]) == [CUPBOARD, SLAB]


def test_what_the_cut_takes_away_is_picked_through(page: Page) -> None:
    look_into(page)
    point = page.evaluate(
        """([id, storey]) => { const p = at(id, 0.5); scene.cutAbove(storey, 0.5); scene.render();
          return scene.pick(p.x, p.y).point; }""",
        [CUPBOARD, STOREY],
    )
    assert point[2] < HEIGHT + 0.501


def test_a_section_cuts_away_what_lies_on_its_side_and_only_that(page: Page) -> None:
    """A plane of any slope, as a BCF viewpoint brings it: what it takes is neither drawn nor picked."""
    look_into(page)
    before, through, kept, drawn, told = page.evaluate(
        """async ([id, storey]) => {
          const p = at(id, 0.5), before = pickAt(p), top = scene.boxOf(id).max, was = await pixel(p.x, p.y);
          const plane = (z) => [{ location: [top[0], top[1], z], direction: [0.1, 0, 2] }];
          scene.setClipPlanes(plane(top[2] - 0.3)); scene.render();
          const hit = scene.pick(p.x, p.y), now = await pixel(p.x, p.y), told = scene.clipPlanes;
          scene.setClipPlanes(plane(top[2] + 0.3)); scene.render();
          return [before, hit, pickAt(p), String(was) !== String(now), told];
        }""",
        [CUPBOARD, STOREY],
    )
    assert (before, kept) == (CUPBOARD, CUPBOARD)
    assert through["point"][2] < HEIGHT + 1 - 0.25
    assert drawn  # cut open, it shows its inside
    assert [plane["direction"] for plane in told] == [[0.1, 0, 2], [0, 0, 1]]  # and the cut above the storey


def test_isolated_storeys_leave_ghosts_or_nothing(page: Page) -> None:
    page.evaluate("scene.setView('top', {duration: 0})")
    top = global_id(2, "IfcFurniture")
    assert pick(page, top) == top
    page.evaluate("id => scene.isolateStoreys([id])", STOREY)
    page.wait_for_function("() => { scene.render(); return scene.stats().drawCalls >= 9; }")
    assert pick(page, CUPBOARD) == CUPBOARD
    page.evaluate("id => scene.isolateStoreys([id], 'hide')", STOREY)
    # One storey of two layers, each with faces and edges; sky and floor.
    page.wait_for_function("() => { scene.render(); return scene.stats().drawCalls <= 6; }")
    page.evaluate("scene.showAll(), scene.render()")
    assert pick(page, top) == top


def test_a_room_is_picked_by_its_floor_and_not_by_the_air_in_it(page: Page) -> None:
    look_into(page)
    bare = f"scene.project([{SIZE - 0.5}, {SIZE - 0.5}, {HEIGHT}])"
    assert page.evaluate(f"pickAt({bare})") == SLAB
    page.evaluate("scene.setLayer('spaces', true), scene.render()")
    assert page.evaluate(f"pickAt({bare})") == ROOM
    assert pick(page, CUPBOARD) == CUPBOARD


def test_nothing_is_drawn_while_nothing_changes(page: Page) -> None:
    page.wait_for_function(
        """() => { const n = scene.stats().frames;
          return new Promise(r => setTimeout(() => r(scene.stats().frames === n), 500)); }"""
    )
    frames = page.evaluate("scene.stats().frames")
    page.evaluate("id => scene.select([id])", CUPBOARD)
    page.wait_for_function("n => scene.stats().frames > n", arg=frames)


def test_a_route_is_seen_in_front_of_the_building_and_dimmed_behind_it(page: Page) -> None:
    """One line over the roof, one inside: both in the route's green, the hidden one mixed with what hides it."""
    seen = {}
    for name, height in (("bare", None), ("over", 3 * HEIGHT + 1), ("inside", HEIGHT + 1)):
        line = "null" if height is None else f"[[1, {SIZE / 2}, {height}], [{SIZE - 1}, {SIZE / 2}, {height}]]"
        page.evaluate(f"scene.overlays.setRoute({line}); scene.overlays.setWalker(null); scene.render()")
        at = f"scene.project([{SIZE / 2}, {SIZE / 2}, {(height or 3 * HEIGHT + 1) + 0.15}])"
        # Arrows are lighter than the line: take the greenest of a few pixels along it.
        seen[name] = page.evaluate(
            f"""async () => {{ const p = {at}; let best = [255, 0, 0];
              for (const dx of [-9, -6, -3, 0, 3, 6, 9]) {{ const c = await pixel(p.x + dx, p.y);
                if (c[1] - c[0] > best[1] - best[0]) best = c; }} return best; }}"""
        )
    page.evaluate("scene.overlays.setRoute(null)")
    greenness = {name: green - red for name, (red, green, _) in seen.items()}
    assert greenness["over"] > 90, seen
    assert 15 < greenness["inside"] < greenness["over"], seen
    assert greenness["bare"] < 15, seen


def test_flow_is_one_draw_however_many_lines(page: Page) -> None:
    draws = "(scene.render(), scene.stats().drawCalls)"
    page.wait_for_function(f"() => {draws} <= 9 * 3 + 2")  # the shadows are drawn
    before = page.evaluate(draws)
    lines = "Array.from({length: 500}, (_, i) => ({points: [[i % 20, 0, 1], [i % 20, 30, 1]], colour: [90, 160, 220]}))"
    page.evaluate(f"scene.overlays.setFlow({lines})")
    assert page.evaluate(draws) == before + 1
    page.evaluate("scene.overlays.setFlow(null)")
    assert page.evaluate(draws) == before


def test_tiles_are_a_few_draws_each_however_many_elements(page: Page) -> None:
    assert page.evaluate("scene.stats().tiles") == 9
    # Opaque, transparent and edges; sky and floor. The first frame draws the shadows too.
    page.wait_for_function("() => { scene.render(); return scene.stats().drawCalls <= 9 * 3 + 2; }")


def test_flying_to_an_element_brings_it_into_the_middle(page: Page) -> None:
    page.evaluate("id => { scene.isolate([id], 'hide'); return scene.flyTo(id, {duration: 0}); }", CUPBOARD)
    page.evaluate("scene.render()")
    assert page.evaluate("scene.pick(200, 150)?.globalId") == CUPBOARD


def test_a_plan_looks_down_on_the_open_storey_and_back(page: Page) -> None:
    before = page.evaluate("scene.view()")
    page.evaluate("id => scene.plan(id, {duration: 0})", STOREY)
    view = page.evaluate("scene.view()")
    assert view["projection"] == "orthographic"
    assert view["eye"][2] > view["target"][2]
    assert pick(page, CUPBOARD) == CUPBOARD
    page.evaluate("scene.plan(null, {duration: 0})")
    after = page.evaluate("scene.view()")
    assert after["projection"] == "perspective"
    assert after["eye"] == pytest.approx(before["eye"])


def test_measuring_snaps_to_corners_edges_and_faces_and_finds_the_clear_height(page: Page) -> None:
    look_into(page)
    corner, edge, face, clear = page.evaluate(
        """async id => {
          await scene.flyTo(id, {duration: 0}); scene.render();
          const { min, max } = scene.boxOf(id);
          const to = (x, y) => { const p = scene.project([x, y, max[2]]); return scene.snap(p.x, p.y); };
          const corner = to(max[0] - 0.03, max[1] - 0.03), edge = to((min[0] + max[0]) / 2, max[1] - 0.03);
          const face = to((min[0] + max[0]) / 2, (min[1] + max[1]) / 2);
          return [corner, edge, face, scene.clearance(face.point, [0, 0, 1])];
        }""",
        CUPBOARD,
    )
    box = page.evaluate("id => scene.boxOf(id)", CUPBOARD)
    assert (corner["kind"], corner["globalId"]) == ("corner", CUPBOARD)
    assert corner["point"] == pytest.approx(box["max"], abs=0.001)
    assert edge["kind"] == "edge"
    assert edge["point"][1:] == pytest.approx(box["max"][1:], abs=0.001)
    assert face["kind"] == "face"
    assert face["normal"] == pytest.approx([0, 0, 1])
    # Up to the underside of the next slab, 0.3 m thick.
    assert clear["distance"] == pytest.approx(2 * HEIGHT - 0.3 - box["max"][2], abs=0.001)


def test_lines_and_handles_follow_the_camera_and_a_handle_is_dragged_along_its_axis(page: Page) -> None:
    look_into(page)
    before, grip = page.evaluate(
        """id => {
          const { max } = scene.boxOf(id), [x, y] = [max[0], max[1]];
          scene.drawings.set([{ id: 'a', points: [[x, y, max[2]], [x + 2, y, max[2]]], dots: true,
            label: { text: '2.00 m', at: [x + 1, y, max[2]] } }]);
          window.dragged = [];
          scene.drawings.setHandles([{ id: 'h', position: max, axis: [1, 0, 0], label: 'East', value: 1,
            onDrag: (m, phase) => dragged.push([phase, m]) }]);
          return [document.querySelector('.scene-drawings path').getAttribute('d'), scene.project(max)];
        }""",
        CUPBOARD,
    )
    assert page.locator(".scene-drawings text").text_content() == "2.00 m"
    assert page.locator(".scene-drawings .drawing circle").count() == 2
    per_metre = page.evaluate(
        """id => { const { max: [x, y, z] } = scene.boxOf(id);
          return scene.project([x + 1, y, z]).x - scene.project([x, y, z]).x; }""",
        CUPBOARD,
    )
    page.mouse.move(grip["x"], grip["y"])
    page.mouse.down()
    page.mouse.move(grip["x"] + 1.5 * per_metre, grip["y"] + 7)  # across does not count
    page.mouse.up()
    phases = page.evaluate("dragged")
    assert [phases[0][0], phases[-1][0]] == ["start", "end"]
    assert phases[-2][1] == pytest.approx(1.5, abs=0.15)
    page.get_by_role("slider", name="East").press("ArrowRight")
    assert page.evaluate("dragged.at(-2)") == ["move", 0.1]
    page.evaluate("scene.setView('iso', {duration: 0})")
    page.evaluate("scene.render()")
    assert page.locator(".scene-drawings path").get_attribute("d") != before
    page.evaluate("scene.drawings.set([]), scene.drawings.setHandles([])")
    assert page.locator(".scene-drawings path, .scene-drawings [role=slider]").count() == 0


def test_storeys_pulled_apart_are_picked_and_labelled_where_they_are_drawn(page: Page) -> None:
    top = global_id(2, "IfcFurniture")
    low, high, far, picked = page.evaluate(
        """async ([low, top]) => {
          const before = scene.boxOf(top).max[2], still = scene.boxOf(low).max[2];
          scene.explode(4);
          await scene.setView('top', {duration: 0}); scene.render();
          const far = scene.boxOf(top).max[2] - before, p = at(top);
          return [scene.boxOf(low).max[2] - still, scene.bounds().max[2], far, scene.pick(p.x, p.y)];
        }""",
        [global_id(0, "IfcFurniture"), top],
    )
    assert (low, far) == (0, pytest.approx(8))
    assert high == pytest.approx(3 * HEIGHT + 8, abs=0.5)
    assert picked["globalId"] == top
    assert picked["point"][2] == pytest.approx(2 * HEIGHT + 1 + 8, abs=0.01)
    page.evaluate("scene.explode(0), scene.render()")
    assert page.evaluate("id => scene.boxOf(id).max[2]", top) == pytest.approx(2 * HEIGHT + 1)


def test_walking_stops_at_a_wall_at_eye_height_and_ends_when_the_camera_is_taken_away(page: Page) -> None:
    """From between the cupboards to the wall along the west side."""
    page.evaluate(
        """([x, y, z]) => { window.ends = 0; scene.on('walkEnd', () => ends++);
          scene.flyTo({ eye: [x, y, z + 5], target: [x - 10, y, z + 5] }, {duration: 0});
          scene.walk.start([x, y, z + 1]); }""",
        [3.0, SIZE - 1, HEIGHT],
    )
    assert page.evaluate("scene.view().eye[2]") == pytest.approx(HEIGHT + 1.65, abs=0.01)
    page.evaluate("scene.walk.press('forward', true)")
    wall = page.evaluate("id => scene.boxOf(id).max[0]", WALL)
    page.wait_for_function("x => scene.view().eye[0] < x + 0.26", arg=wall)
    page.wait_for_timeout(300)  # the key is still pressed
    page.evaluate("scene.walk.press('forward', false)")
    assert page.evaluate("scene.view().eye[0]") == pytest.approx(wall + 0.25, abs=0.01)
    page.evaluate("scene.setView('iso', {duration: 0})")
    page.evaluate("scene.render()")
    assert (page.evaluate("ends"), page.evaluate("scene.walk.active")) == (1, False)


def test_the_view_with_and_without_perspective_shows_what_is_looked_at_as_large(page: Page) -> None:
    page.evaluate("id => { scene.isolate([id], 'hide'); return scene.flyTo(id, {duration: 0}); }", CUPBOARD)
    point = page.evaluate("scene.pick(200, 150).point")
    size = """([x, y, z]) => { const a = scene.project([x, y, z]), b = scene.project([x + 0.1, y - 0.1, z]);
      return Math.hypot(a.x - b.x, a.y - b.y); }"""
    with_it = page.evaluate(size, point)
    page.evaluate("scene.setProjection('orthographic'), scene.render()")
    assert page.evaluate("scene.view().projection") == "orthographic"
    assert page.evaluate(size, point) == pytest.approx(with_it, rel=0.03)
    page.evaluate("scene.setProjection('perspective'), scene.render()")
    assert page.evaluate(size, point) == pytest.approx(with_it, rel=0.01)


def test_a_building_far_from_the_origin_is_drawn_and_picked_as_exactly(chromium: Browser, engine_site: str) -> None:
    page = open_tower(chromium, engine_site, "far")
    look_into(page)
    assert pick(page, CUPBOARD) == CUPBOARD
    hit = page.evaluate("id => { const p = at(id); return scene.pick(p.x, p.y).point; }", CUPBOARD)
    box = page.evaluate("id => scene.boxOf(id)", CUPBOARD)
    assert box["min"][0] == pytest.approx(FAR[0] + 1.0, abs=0.001)
    assert hit[2] == pytest.approx(HEIGHT + 1.0, abs=0.005)
    assert hit[0] == pytest.approx((box["min"][0] + box["max"][0]) / 2, abs=0.1)
    page.close()


def test_a_broken_tile_is_reported_and_the_rest_is_shown(chromium: Browser, engine_site: str) -> None:
    page = open_tower(chromium, engine_site, "broken")
    [[name, error]] = page.evaluate("events")
    assert name == "error"
    assert "not a GLB" in error["message"]
    assert page.evaluate("scene.elementCount") == 90 - 27
    page.close()


def test_clicks_and_hovering_say_what_is_there(page: Page) -> None:
    look_into(page)
    where = page.evaluate("id => at(id)", CUPBOARD)
    page.mouse.move(where["x"], where["y"])
    page.wait_for_function("id => events.some(([name, e]) => name === 'hover' && e.hit?.globalId === id)", arg=CUPBOARD)
    page.mouse.click(where["x"], where["y"])
    page.wait_for_function("id => events.some(([name, e]) => name === 'pick' && e.hit?.globalId === id)", arg=CUPBOARD)
    page.mouse.click(where["x"], where["y"], button="right")
    page.wait_for_function("events.some(([name]) => name === 'menu')")


def test_dragging_turns_and_the_wheel_comes_nearer(page: Page) -> None:
    before = page.evaluate("scene.view()")
    page.mouse.move(200, 150)
    page.mouse.down()
    page.mouse.move(280, 170, steps=4)
    page.mouse.up()
    turned = page.evaluate("scene.view()")
    assert turned["eye"] != pytest.approx(before["eye"])
    assert page.evaluate("events.filter(([name]) => name === 'pick')") == []
    page.mouse.wheel(0, -400)
    page.wait_for_function("eye => Math.hypot(...scene.view().eye.map((v, i) => v - eye[i])) > 1", arg=turned["eye"])


def test_labels_follow_their_elements_and_give_way(page: Page) -> None:
    look_into(page)
    page.evaluate(
        """([a, b]) => { scene.setMarkers([
          { id: 'low', globalId: a, html: '<b>21.5 °C</b>' },
          { id: 'high', globalId: a, html: '<b>alarm</b>', priority: 9 },
          { id: 'gone', globalId: b, html: '<b>hidden</b>' }]); scene.hide([b]); scene.render(); }""",
        [CUPBOARD, WALL],
    )
    shown = page.evaluate(
        """[...document.querySelectorAll('[data-marker]')]
          .filter(n => n.style.display !== 'none').map(n => n.dataset.marker)"""
    )
    assert shown == ["high"]
    at = page.evaluate("id => at(id)", CUPBOARD)
    box = page.evaluate(
        """(() => { const r = document.querySelector('[data-marker=high]').getBoundingClientRect();
          return [r.left + r.width / 2, r.bottom]; })()"""
    )
    assert box == pytest.approx([at["x"], at["y"]], abs=1.5)


def test_a_closed_scene_leaves_the_page_as_it_was_and_the_canvas_usable(chromium: Browser, engine_site: str) -> None:
    page = open_tower(chromium, engine_site, "tower")
    page.evaluate("id => scene.setMarkers([{ id: 'a', globalId: id, html: 'a' }])", CUPBOARD)
    count = page.evaluate(
        """async () => { const Scene3D = scene.constructor; scene.dispose();
          if (document.querySelectorAll('.scene-markers').length) throw new Error('labels left behind');
          window.scene = new Scene3D(document.querySelector('canvas'));
          await scene.load('tower/tileset.json'); scene.render(); return scene.elementCount; }"""
    )
    assert count == 90
    look_into(page)
    assert pick(page, CUPBOARD) == CUPBOARD
    page.close()


# --- whole pictures -------------------------------------------------------------------------------------------------

PLAN = """async ([storey, height]) => {
  await scene.plan(storey, {duration: 0});
  scene.cutAbove(storey, height);
  scene.render();
}"""


def picture(page: Page) -> NDArray[np.int64]:
    """What is drawn, (height, width, 3)."""
    data = page.evaluate(
        """async () => {
          const bitmap = await createImageBitmap(await scene.screenshot());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
          canvas.drawImage(bitmap, 0, 0);
          const { data, width, height } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
          let text = "";
          for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
          return { width, height, data: btoa(text) };
        }"""
    )
    rgba = np.frombuffer(base64.b64decode(data["data"]), np.uint8).reshape(data["height"], data["width"], 4)
    return rgba[:, :, :3].astype(np.int64)


def footprints(page: Page, shape: tuple[int, ...], ids: list[str]) -> NDArray[np.bool_]:
    """The pixels that the boxes of elements cover, seen from above."""
    corners = page.evaluate(
        """ids => ids.map(id => { const { min, max } = scene.boxOf(id);
          const a = scene.project([min[0], max[1], max[2]]), b = scene.project([max[0], min[1], max[2]]);
          return [a.x, a.y, b.x, b.y]; })""",
        ids,
    )
    covered = np.zeros(shape[:2], dtype=bool)
    for left, top, right, bottom in np.rint(corners).astype(int).clip(0):
        covered[top:bottom, left:right] = True
    return covered


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """What both cover as a share of what any of them covers."""
    return float((one & other).sum() / max(1, (one | other).sum()))


CUPBOARDS = [global_id(1, "IfcFurniture", n) for n in range(27)]
WHOLE = 0.9  # of an area: its outline is a pixel wide and drawn as a crease


def test_picture_of_a_cut_every_solid_is_filled_where_it_is_cut_and_nothing_else_is(page: Page) -> None:
    page.evaluate(PLAN, [STOREY, 0.5])
    drawn = picture(page)
    section = np.array([0x39, 0x42, 0x4E])  # of the light theme
    filled = np.abs(drawn - section).max(axis=2) < 24
    expected = footprints(page, drawn.shape, [*CUPBOARDS, WALL])
    assert expected.sum() > 2000
    assert overlap(filled, expected) > WHOLE
    page.evaluate(PLAN, [STOREY, 1.5])  # above the cupboards: only the wall is cut
    filled = np.abs(picture(page) - section).max(axis=2) < 24
    assert overlap(filled, footprints(page, drawn.shape, [WALL])) > 0.6  # three pixels wide
    assert (filled & footprints(page, drawn.shape, CUPBOARDS)).sum() == 0


def test_picture_of_a_heatmap_a_room_has_its_colour_over_all_of_its_floor_and_nowhere_else(page: Page) -> None:
    page.evaluate("scene.setLayer('spaces', true)")
    page.evaluate(PLAN, [STOREY, 1.5])
    plain = picture(page)
    page.evaluate("room => { scene.setColors(new Map([[room, [215, 48, 39]]])); scene.render(); }", ROOM)
    drawn = picture(page)
    red = (drawn[:, :, 0] > 150) & (drawn[:, :, 1] < 120) & (drawn[:, :, 2] < 120)
    furnished = footprints(page, drawn.shape, [*CUPBOARDS, WALL])
    assert overlap(red, footprints(page, drawn.shape, [ROOM]) & ~furnished) > WHOLE
    assert np.abs(drawn - plain).max(axis=2)[furnished].mean() < 12  # what stands on it keeps its colour


def test_picture_of_ghosts_they_are_a_thin_film_over_all_of_what_they_are(page: Page) -> None:
    page.evaluate(PLAN, [STOREY, 1.5])
    page.evaluate("ids => { scene.isolate(ids, 'hide'); scene.render(); }", [SLAB])
    without = picture(page)
    page.evaluate("ids => { scene.isolate(ids, 'ghost'); scene.render(); }", [SLAB])
    ghosts = picture(page)
    page.evaluate("scene.showAll(), scene.render()")
    solid = picture(page)
    where = footprints(page, ghosts.shape, CUPBOARDS)
    film = np.abs(ghosts - without).max(axis=2)
    assert overlap((film > 2) & where, where) > WHOLE
    assert 2 < film[where].mean() < 40
    assert film[where].mean() < 0.5 * np.abs(solid - without).max(axis=2)[where].mean()
