"""The renderer in a real Chromium, on tiles of the real writer: pixels, picking, states, recovery."""

import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.tower import HEIGHT, SIZE, global_id, write_tower

pytestmark = pytest.mark.browser

WEB = Path(__file__).parents[2] / "viewer" / "web"
NODE = Path(__file__).parents[2] / ".venv" / "bin" / "node"
CHROMIUM = Path("/usr/bin/chromium")
SOFTWARE_GL = [
    "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-gpu-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
]  # fmt: skip
SLAB, WALL, ROOM, CUPBOARD = (
    global_id(1, ifc_class) for ifc_class in ("IfcSlab", "IfcWall", "IfcSpace", "IfcFurniture")
)
STOREY = global_id(1, "IfcBuildingStorey")
FAR = (500_000.0, 3_400_000.0, 0.0)  # where a building with map coordinates stands

BUILD = """
import { build } from "vite";
await build({ root: process.argv[1], configFile: false, logLevel: "error", base: "./",
  build: { outDir: process.argv[2], emptyOutDir: false, target: "es2023", rollupOptions: { input: "engine.html" } },
  worker: { format: "es" } });
"""

HELPERS = """
window.pixel = async (x, y) => {
  const bitmap = await createImageBitmap(await scene.screenshot());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  return [...canvas.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3);
};
window.at = (id, inset) => {
  const { min, max } = scene.boxOf(id);
  const to = (i) => (inset === undefined ? (min[i] + max[i]) / 2 : min[i] + inset);
  return scene.project([to(0), to(1), max[2]]);
};
window.pickAt = (p) => scene.pick(p.x, p.y)?.globalId ?? null;
0;
"""


RESET = """async () => {
  scene.showAll(); scene.setColors(null); scene.setAlarms(null); scene.select([]);
  scene.highlight([]); scene.setMarkers([]); scene.cutAbove(null); scene.setClipPlanes([]);
  scene.setLayer('furniture', true); scene.setLayer('spaces', false);
  await scene.setView('iso', {duration: 0}); scene.render(); events.length = 0;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The harness page as it is built for production, and towers of tiles; its address."""
    if not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("viewer/web has no node_modules: run make setup")
    folder = tmp_path_factory.mktemp("engine")
    node = str(NODE) if NODE.exists() else "node"
    command = [node, "--input-type=module", "-e", BUILD, str(WEB), str(folder)]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=100)
    write_tower(folder / "tower", storeys=3, per_storey=30)
    write_tower(folder / "far", storeys=3, per_storey=30, origin=FAR)
    write_tower(folder / "broken", storeys=3, per_storey=30)
    max((folder / "broken").glob("*.glb"), key=lambda p: p.stat().st_size).write_bytes(b"glTF but not really")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=SOFTWARE_GL)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, site: str) -> Iterator[Page]:
    page = open_tower(browser, site, "tower")
    yield page
    page.close()


@pytest.fixture
def page(shared: Page) -> Page:
    """A tower of 3 storeys with 30 elements each, as it looks when it has just been loaded."""
    shared.mouse.move(0, 0)
    shared.evaluate(RESET)
    return shared


def open_tower(browser: Browser, site: str, name: str) -> Page:
    page = browser.new_page(viewport={"width": 400, "height": 300}, reduced_motion="reduce")
    page.goto(f"{site}/engine.html?tileset={name}/tileset.json")
    page.evaluate(HELPERS)
    assert page.evaluate("loaded")
    return page


def look_into(page: Page) -> None:
    """Open storey 1 and look straight down."""
    page.evaluate(
        "async id => { scene.cutAbove(id); await scene.setView('top', {duration: 0}); scene.render(); }", STOREY
    )


def pick(page: Page, element: str) -> str | None:
    """What is picked where the top of `element` is drawn."""
    found: str | None = page.evaluate("id => pickAt(at(id))", element)
    return found


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


def test_picking_without_waiting_gives_the_same(page: Page) -> None:
    look_into(page)
    found = page.evaluate(
        "async id => { const p = at(id); return (await scene.pickAsync(p.x, p.y))?.globalId; }", CUPBOARD
    )
    assert found == CUPBOARD


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


def test_a_building_far_from_the_origin_is_drawn_and_picked_as_exactly(browser: Browser, site: str) -> None:
    page = open_tower(browser, site, "far")
    look_into(page)
    assert pick(page, CUPBOARD) == CUPBOARD
    hit = page.evaluate("id => { const p = at(id); return scene.pick(p.x, p.y).point; }", CUPBOARD)
    box = page.evaluate("id => scene.boxOf(id)", CUPBOARD)
    assert box["min"][0] == pytest.approx(FAR[0] + 1.0, abs=0.001)
    assert hit[2] == pytest.approx(HEIGHT + 1.0, abs=0.005)
    assert hit[0] == pytest.approx((box["min"][0] + box["max"][0]) / 2, abs=0.1)
    page.close()


def test_a_broken_tile_is_reported_and_the_rest_is_shown(browser: Browser, site: str) -> None:
    page = open_tower(browser, site, "broken")
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


def test_a_lost_graphics_context_comes_back(browser: Browser, site: str) -> None:
    page = open_tower(browser, site, "tower")
    look_into(page)
    page.evaluate(
        """() => { const gl = document.querySelector('canvas').getContext('webgl2');
          window.loss = gl.getExtension('WEBGL_lose_context'); window.loss.loseContext(); }"""
    )
    page.wait_for_function("events.some(([name, e]) => name === 'context' && e === 'lost')")
    assert page.evaluate("scene.pick(200, 150)") is None
    page.evaluate("loss.restoreContext()")
    page.wait_for_function("events.some(([name, e]) => name === 'context' && e === 'restored')")
    page.evaluate("scene.render()")
    assert pick(page, CUPBOARD) == CUPBOARD
    page.close()


def test_a_closed_scene_leaves_the_page_as_it_was_and_the_canvas_usable(browser: Browser, site: str) -> None:
    page = open_tower(browser, site, "tower")
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
