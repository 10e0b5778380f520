// The product's own renderer. ours.html?model=FOLDER
import { Scene3D } from "../../../../viewer/web/src/engine/index.ts";
import { colours, nextFrame, offer, settle } from "./harness.js";

const url = `${new URLSearchParams(location.search).get("model")}/tileset.json`;
const canvas = document.querySelector("canvas");
const scene = new Scene3D(canvas, { ambientOcclusion: "off" });
const gl = canvas.getContext("webgl2");

/** Storey by storey, how many of its tiles are still to come; rooms are not drawn at first. */
const waiting = new Map();
const count = (tile) => {
  const { storey, layer } = tile.content?.extras ?? tile.extras ?? {};
  if (tile.content && storey && layer !== "spaces") waiting.set(storey, (waiting.get(storey) ?? 0) + 1);
  for (const child of tile.children ?? []) count(child);
};
count((await (await fetch(url)).json()).root);
let visible = null;
let complete = false;
scene.on("tile", ({ storey, layer }) => {
  if (!storey || layer === "spaces") return;
  waiting.set(storey, waiting.get(storey) - 1);
  if (waiting.get(storey) === 0) complete = true;
});
const watch = async () => {
  while (!complete) await nextFrame();
  const before = scene.stats().frames;
  while (scene.stats().frames === before) await nextFrame();
  settle(gl);
  visible = performance.now();
};
const first = watch();
await scene.load(url);
await first;
scene.render();
const ids = scene.idsIn();
const { min, max } = scene.bounds();
const center = min.map((v, i) => (v + max[i]) / 2);
const radius = Math.hypot(...min.map((v, i) => max[i] - v)) / 2;

offer({
  up: "z", gl, elements: ids.length,
  bounds: () => ({ center, radius }),
  look: (eye, target) => void scene.flyTo({ eye, target }, { duration: 0 }),
  draw: () => scene.render(),
  async recolour(round) {
    const scale = colours(round);
    scene.setColors(new Map(ids.map((id, i) => [id, scale[i % 10]])));
  },
  /** Until nothing more is drawn: shadows, and on slow machines what a first picture leaves out. */
  async rest() {
    while (!scene.stats().whole) await nextFrame();
  },
  pick: (x, y) => scene.pick(x, y)?.globalId ?? null,
  stats() {
    const { drawCalls, triangles } = scene.stats();
    return { drawCalls, triangles };
  },
}, visible);
