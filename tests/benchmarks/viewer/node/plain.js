// What one writes in an afternoon: a three.js mesh per element and material, of the same triangles. plain.html?model=FOLDER
import * as THREE from "three";
import { Decoder } from "../../../../viewer/web/src/engine/decode.ts";
import { readTileset } from "../../../../viewer/web/src/engine/tileset.ts";
import { FOV, colours, offer, settle } from "./harness.js";

const canvas = document.querySelector("canvas");
const renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
renderer.setSize(innerWidth, innerHeight, false);
const gl = renderer.getContext();
const camera = new THREE.PerspectiveCamera(FOV, innerWidth / innerHeight, 0.5, 5000);
camera.up.set(0, 0, 1);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0xf8f9fb);
scene.add(new THREE.AmbientLight(0xffffff, 1.5), new THREE.DirectionalLight(0xffffff, 2));

const url = new URL(`${new URLSearchParams(location.search).get("model")}/tileset.json`, location.href).href;
const { tiles } = readTileset(await (await fetch(url)).json(), url);
const decoder = new Decoder();
const [meshes, elements, materials] = [[], new Set(), new Map()];
let origin = null;

/** One material per colour, as a careful beginner would. */
function materialOf(r, g, b, a) {
  const key = [r, g, b, a].join();
  if (!materials.has(key))
    materials.set(key, new THREE.MeshLambertMaterial({ color: new THREE.Color(r / 255, g / 255, b / 255), opacity: a / 255, transparent: a < 255, side: THREE.DoubleSide }));
  return materials.get(key);
}

/** The triangles of a primitive, apart by the feature they belong to. */
function addPrimitive(primitive, names) {
  const matrix = new THREE.Matrix4().fromArray(primitive.matrix);
  origin ??= new THREE.Vector3().setFromMatrixPosition(matrix).round();
  matrix.premultiply(new THREE.Matrix4().makeTranslation(-origin.x, -origin.y, -origin.z));
  const index = primitive.index ?? Uint32Array.from({ length: primitive.vertices }, (_, i) => i);
  const byFeature = new Map();
  for (let t = 0; t < index.length; t += 3) {
    const feature = primitive.feature[index[t]];
    const list = byFeature.get(feature) ?? [];
    byFeature.set(feature, list);
    list.push(index[t], index[t + 1], index[t + 2]);
  }
  const color = primitive.color && new THREE.BufferAttribute(primitive.color.array, 4, false);
  const point = new THREE.Vector3();
  const source = new THREE.BufferAttribute(primitive.position.array, primitive.position.size, primitive.position.normalized);
  for (const [feature, corners] of byFeature) {
    const rows = [...new Set(corners)];
    const at = new Map(rows.map((row, i) => [row, i]));
    const positions = new Float32Array(rows.length * 3);
    rows.forEach((row, i) => point.fromBufferAttribute(source, row).applyMatrix4(matrix).toArray(positions, i * 3));
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
    geometry.setIndex(new THREE.BufferAttribute(Uint16Array.from(corners, (row) => at.get(row)), 1));
    geometry.computeVertexNormals();
    geometry.computeBoundingSphere();
    const row = rows[0];
    const rgba = color ? [color.getX(row), color.getY(row), color.getZ(row), color.getW(row)] : primitive.baseColor.map((c) => Math.round(c * 255));
    const mesh = new THREE.Mesh(geometry, materialOf(...rgba));
    mesh.userData.id = names[feature];
    mesh.matrixAutoUpdate = false;
    elements.add(names[feature]);
    meshes.push(mesh);
    scene.add(mesh);
  }
}

for (const tile of tiles) {
  if (tile.layer === "spaces") continue; // ours does not draw rooms at first either
  const data = await decoder.decode(await (await fetch(tile.url)).arrayBuffer());
  for (const primitive of data.primitives) if (primitive.kind !== "edges") addPrimitive(primitive, data.globalIds);
}
const sphere = new THREE.Box3().setFromObject(scene).getBoundingSphere(new THREE.Sphere());
const look = (eye, target) => {
  camera.position.set(...eye);
  camera.lookAt(...target);
  camera.updateMatrixWorld();
};
look(sphere.center.clone().addScalar(sphere.radius * 1.6).toArray(), sphere.center.toArray());
renderer.render(scene, camera);
settle(gl);
const visible = performance.now();
const raycaster = new THREE.Raycaster();

offer({
  up: "z", gl, elements: elements.size, look,
  bounds: () => ({ center: sphere.center.toArray(), radius: sphere.radius }),
  draw: () => renderer.render(scene, camera),
  async recolour(round) {
    const scale = colours(round).map(([r, g, b]) => materialOf(r, g, b, 255));
    meshes.forEach((mesh, i) => (mesh.material = scale[i % 10]));
  },
  async pick(x, y) {
    raycaster.setFromCamera(new THREE.Vector2((x / innerWidth) * 2 - 1, 1 - (y / innerHeight) * 2), camera);
    return raycaster.intersectObjects(meshes, false)[0]?.object.userData.id ?? null;
  },
  stats: () => ({ drawCalls: renderer.info.render.calls, triangles: renderer.info.render.triangles }),
}, visible);
