// The fragments viewer as its documentation sets it up. fragments.html?model=FOLDER
import * as THREE from "three";
import { FragmentsModels } from "@thatopen/fragments";
import worker from "@thatopen/fragments/worker?url";
import { FOV, colours, offer, settle } from "./harness.js";

const canvas = document.querySelector("canvas");
const renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
renderer.setSize(innerWidth, innerHeight, false);
const gl = renderer.getContext();
const camera = new THREE.PerspectiveCamera(FOV, innerWidth / innerHeight, 0.5, 5000);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0xf8f9fb);
scene.add(new THREE.AmbientLight(0xffffff, 1.5), new THREE.DirectionalLight(0xffffff, 2));

const fragments = new FragmentsModels(new URL(worker, location.href).href);
const buffer = await (await fetch(`${new URLSearchParams(location.search).get("model")}/model.frag`)).arrayBuffer();
const model = await fragments.load(buffer, { modelId: "model", camera });
scene.add(model.object);
const sphere = model.box.getBoundingSphere(new THREE.Sphere());
const look = (eye, target) => {
  camera.position.set(...eye);
  camera.up.set(0, 1, 0);
  camera.lookAt(...target);
  camera.updateMatrixWorld();
};
const rest = async () => {
  await fragments.update(true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await fragments.update(true);
};
look([sphere.center.x + sphere.radius * 2, sphere.center.y + sphere.radius, sphere.center.z + sphere.radius * 2], sphere.center.toArray());
await fragments.update(true);
renderer.render(scene, camera);
settle(gl);
const visible = performance.now();
await rest();
const ids = await model.getItemsIdsWithGeometry();

offer({
  up: "y", gl, elements: ids.length, look, rest,
  bounds: () => ({ center: sphere.center.toArray(), radius: sphere.radius }),
  draw() {
    void fragments.update();
    renderer.render(scene, camera);
  },
  async recolour(round) {
    await Promise.all(colours(round).map(([r, g, b], k) =>
      model.setColor(ids.filter((_, i) => i % 10 === k), new THREE.Color(r / 255, g / 255, b / 255))));
    await fragments.update(true);
  },
  pick: async (x, y) => (await model.raycast({ camera, mouse: new THREE.Vector2(x, y), dom: canvas }))?.localId ?? null,
  stats: () => ({ drawCalls: renderer.info.render.calls, triangles: renderer.info.render.triangles }),
}, visible);
