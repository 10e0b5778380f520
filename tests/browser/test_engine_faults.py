"""The renderer when things go wrong or are scarce: memory, tiles, versions, a lost context; touch and rest."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.engine import CUPBOARD, look_into, open_tower, pick
from tests.browser.tower import HEIGHT, SIZE, global_id

pytestmark = pytest.mark.browser

TOP, LOWEST = global_id(2, "IfcFurniture"), global_id(0, "IfcFurniture")
# Level through the top storey, so narrow that no other lies in the picture.
THROUGH_THE_TOP = {
    "eye": [-1, SIZE / 2, 2 * HEIGHT + 1.5],
    "target": [SIZE, SIZE / 2, 2 * HEIGHT + 1.5],
    "fieldOfView": 3,
}
THROUGH_THE_GROUND = {"eye": [-1, SIZE / 2, 1.2], "target": [SIZE, SIZE / 2, 1.2], "fieldOfView": 3}


def test_what_does_not_fit_into_memory_is_left_out_and_told_and_comes_when_one_looks_at_it(
    chromium: Browser, engine_site: str
) -> None:
    page = open_tower(chromium, engine_site, "tower")
    everything = page.evaluate("scene.stats().memory")
    assert page.evaluate("scene.stats().residentTiles") == 9
    page.close()
    budget = everything * 0.62
    page = open_tower(chromium, engine_site, "tower", f"&memory={budget}")
    left = page.evaluate("events.filter(([name]) => name === 'leftOut').at(-1)[1]")
    assert left["tiles"] >= 1
    assert left["layers"] == ["furniture"]  # walls come first, and rooms are not wanted
    assert left["elements"] == 27 * left["tiles"]
    assert page.evaluate("scene.stats().memory") <= budget

    def seen(view: dict[str, Any], element: str) -> None:
        """Its tile comes, and what is told to be left out is nothing that is in this picture."""
        page.evaluate("view => scene.flyTo(view, {duration: 0})", view)
        page.wait_for_function("id => scene.has(id)", arg=element)
        page.wait_for_function("events.filter(([name]) => name === 'leftOut').at(-1)[1] === null")
        assert page.evaluate("scene.stats().memory") <= budget

    seen(THROUGH_THE_TOP, TOP)
    seen(THROUGH_THE_GROUND, LOWEST)
    assert page.evaluate("id => scene.has(id)", TOP)  # known, wherever its geometry is
    page.evaluate("view => scene.flyTo(view, {duration: 0})", THROUGH_THE_TOP)
    page.wait_for_function("events.filter(([name]) => name === 'leftOut').at(-1)[1] === null")
    page.wait_for_function("storey => scene.pick(200, 150)?.storey === storey", arg=global_id(2, "IfcBuildingStorey"))
    page.evaluate("scene.setMemory(1e9)")
    page.wait_for_function("scene.stats().residentTiles === 9")
    assert page.evaluate("scene.elementCount") == 90
    page.close()


def test_a_tile_that_fails_is_tried_again_and_then_named_and_comes_when_asked_for(
    chromium: Browser, engine_site: str
) -> None:
    page = chromium.new_page(viewport={"width": 400, "height": 300}, reduced_motion="reduce")
    asked: dict[str, int] = {}

    def answer(route: Route) -> None:
        """One tile is not there; all others are busy at first, as a server that starts again is."""
        name = route.request.url.rsplit("/", 1)[1]
        asked[name] = asked.get(name, 0) + 1
        if name == missing:
            route.fulfill(status=404)
        elif asked[name] == 1:
            route.fulfill(status=503, headers={"Retry-After": "0"})
        else:
            route.continue_()

    tiles = page.request.get(f"{engine_site}/tower/tileset.json").json()["root"]["children"]
    wanted = next(t for t in tiles if t["content"]["extras"]["layer"] == "furniture")
    missing = wanted["content"]["uri"].rsplit("/", 1)[-1]
    page.route("**/*.glb", answer)
    page.goto(f"{engine_site}/engine.html?tileset=tower/tileset.json")
    assert page.evaluate("loaded")
    errors = page.evaluate("events.filter(([name]) => name === 'error').map(([, e]) => e)")
    assert [(e["uri"], e["storey"], e["layer"]) for e in errors] == [
        (wanted["content"]["uri"], wanted["content"]["extras"]["storey"], "furniture")
    ]
    assert "404" in errors[0]["message"]
    assert page.evaluate("scene.failed") == [wanted["content"]["uri"]]
    assert page.evaluate("scene.elementCount") == 90 - 27
    assert {count for name, count in asked.items() if name != missing} == {2}
    assert asked[missing] == 1
    page.unroute("**/*.glb")
    assert page.evaluate("scene.retry()") == 1
    assert page.evaluate("[scene.failed, scene.elementCount]") == [[], 90]
    page.close()


def test_another_version_takes_over_tile_by_tile_and_what_was_set_stays(chromium: Browser, engine_site: str) -> None:
    """Only what differs is fetched; the picture is never empty meanwhile."""
    page = open_tower(chromium, engine_site, "tower")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if ".glb" in request.url else None)
    added = global_id(1, "IfcFurniture", 27)
    least = page.evaluate(
        """async id => {
          scene.select([id]); scene.setColors(new Map([[id, [230, 20, 20]]]));
          let least = scene.elementCount; window.before = scene.view();
          scene.on('tile', () => (least = Math.min(least, scene.elementCount)));
          await scene.load('tower/next.json', { keepCamera: true });
          return least;
        }""",
        CUPBOARD,
    )
    assert len(fetched) == 3  # the furniture of each storey; slabs, walls and rooms are those of before
    assert least >= 90
    assert page.evaluate("[scene.elementCount, scene.stats().tiles, scene.selection]") == [93, 9, [CUPBOARD]]
    assert page.evaluate("id => scene.has(id)", added)
    assert page.evaluate("scene.view().eye") == pytest.approx(page.evaluate("before.eye"))
    look_into(page)
    assert (pick(page, CUPBOARD), pick(page, added)) == (CUPBOARD, added)
    page.evaluate("scene.load('tower/tileset.json', { keepCamera: true })")
    assert page.evaluate("[scene.elementCount, scene.stats().tiles]") == [90, 9]
    assert page.evaluate("id => [scene.has(id), scene.boxOf(id)]", added) == [False, None]
    look_into(page)
    assert pick(page, CUPBOARD) == CUPBOARD
    page.close()


def test_a_lost_graphics_context_comes_back_with_colours_selection_and_section(
    chromium: Browser, engine_site: str
) -> None:
    """The tiles of an overlay, which nobody fetches again, are there as well."""
    page = open_tower(chromium, engine_site, "tower")
    look_into(page)
    added = global_id(1, "IfcFurniture", 27)
    more = "id => scene.overlay('tower/next.json', { only: new Set([id]), mark: '~' })"
    page.evaluate(more, added)
    picture = page.evaluate(
        """async ([id, added]) => {
          const p = at(id), q = at(added), { min } = scene.boxOf(id);
          scene.setColors(new Map([[added, [20, 20, 230]]]));
          scene.addColors(new Map([[id, [230, 20, 20]]]));
          scene.setClipPlanes([{ location: [min[0] - 0.2, min[1], min[2]], direction: [-1, 0, 0] }]);
          window.seen = async () => [await pixel(p.x, p.y), await pixel(p.x - 60, p.y), await pixel(q.x, q.y)];
          const picture = await seen();
          const gl = document.querySelector('canvas').getContext('webgl2');
          window.loss = gl.getExtension('WEBGL_lose_context'); loss.loseContext();
          return picture;
        }""",
        [CUPBOARD, added + "~"],
    )
    page.wait_for_function("events.some(([name, e]) => name === 'context' && e === 'lost')")
    assert pick(page, CUPBOARD) == CUPBOARD  # the GPU is not asked
    page.evaluate("id => scene.highlight([id])", CUPBOARD)  # nothing that is asked for meanwhile fails
    page.evaluate("scene.highlight([]), loss.restoreContext()")
    page.wait_for_function("events.some(([name, e]) => name === 'context' && e === 'restored')")
    page.wait_for_function("scene.stats().residentTiles === scene.stats().tiles")  # they are fetched again
    page.evaluate("scene.render()")
    assert pick(page, CUPBOARD) == CUPBOARD
    assert page.evaluate("seen()") == picture
    assert picture[0][0] > 180 > 110 > picture[0][1]
    assert picture[2][2] > 180 > 110 > picture[2][0]
    page.close()


def test_what_only_the_gpu_needs_is_not_held_twice(chromium: Browser, engine_site: str) -> None:
    page = open_tower(chromium, engine_site, "crowd")
    page.evaluate("scene.setLayer('spaces', true)")
    page.wait_for_function("scene.stats().whole")
    page.evaluate("scene.render()")
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    held = session.send("Runtime.getHeapUsage")["backingStorageSize"]
    assert held < page.evaluate("scene.stats().memory")
    page.close()


def _touch(page: Page, *moments: list[tuple[float, float]]) -> None:
    """Fingers at these places, one moment after the other, then none."""
    session = page.context.new_cdp_session(page)
    for number, fingers in enumerate(moments):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)]
        kind = "touchStart" if number == 0 else "touchMove"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_fingers_pinch_pan_and_press_and_a_drag_goes_round_what_is_under_it(
    chromium: Browser, engine_site: str
) -> None:
    page = open_tower(chromium, engine_site, "tower")
    page.evaluate("scene.render()")
    under = page.evaluate("scene.pick(200, 150).point")
    away = "p => Math.hypot(...scene.view().eye.map((v, i) => v - p[i]))"
    where = "p => { const q = scene.project(p); return [q.x, q.y]; }"

    def still() -> list[float]:
        found: list[float] = page.evaluate(where, under)
        return found

    before = page.evaluate(away, under)
    _touch(page, [(180, 150), (220, 150)], [(160, 150), (240, 150)], [(120, 150), (280, 150)])
    assert page.evaluate(away, under) < before * 0.5
    assert still() == pytest.approx([200, 150], abs=3)  # pinched where it is
    _touch(page, [(180, 150), (220, 150)], [(200, 160), (240, 160)], [(230, 170), (270, 170)])
    assert still() == pytest.approx([250, 170], abs=4)  # two fingers take it with them
    eye = page.evaluate("scene.view().eye")
    _touch(page, [(250, 170)], [(280, 180)], [(320, 190)])
    assert page.evaluate("scene.view().eye") != pytest.approx(eye, abs=0.5)
    assert still() == pytest.approx([250, 170], abs=3)  # one finger goes round it
    assert page.evaluate("events.filter(([name]) => name !== 'hover' && name !== 'leftOut')") == []
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 200, "y": 150}]})
    page.wait_for_function("events.some(([name]) => name === 'menu')")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate("events.filter(([name]) => name === 'pick')") == []  # a press is no tap
    page.close()


def test_corners_darken_once_the_camera_rests_and_not_while_it_moves(chromium: Browser, engine_site: str) -> None:
    page = open_tower(chromium, engine_site, "tower", "&ao=on")
    look_into(page)
    page.evaluate(
        "id => { scene.setLayer('furniture', true); return scene.flyTo(id, {duration: 0}); }",
        global_id(1, "IfcFurniture", 7),
    )
    assert not page.evaluate("scene.stats().ambientOcclusion")  # it has only just come here
    page.wait_for_function("scene.stats().ambientOcclusion")
    light = """async () => {
      const bitmap = await createImageBitmap(await scene.screenshot());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      canvas.drawImage(bitmap, 0, 0);
      const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
      return Array.from({ length: data.length / 4 }, (_, i) => data[i * 4 + 1]);
    }"""
    dark = page.evaluate(light)
    page.evaluate("scene.setAmbientOcclusion('off')")
    plain = page.evaluate(light)
    assert not page.evaluate("scene.stats().ambientOcclusion")
    darker = [a - b for a, b in zip(plain, dark, strict=True)]
    assert min(darker) >= -1  # it never lightens
    assert sum(d > 20 for d in darker) > 400  # the feet of cupboards…
    assert sum(d < 6 for d in darker) > len(darker) / 3  # …and not the flat of their tops
    page.evaluate("scene.setAmbientOcclusion('on')")
    page.wait_for_function("scene.stats().ambientOcclusion")
    page.evaluate("scene.setView('iso', {duration: 0}), scene.render()")
    assert not page.evaluate("scene.stats().ambientOcclusion")
    page.close()
