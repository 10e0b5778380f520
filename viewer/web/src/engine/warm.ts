/** The tiles' programs, made while the first tile is on its way: where software draws, they take longer than its picture. */
import { BufferAttribute, BufferGeometry, Camera, Group, IntType, LineSegments, Mesh, type WebGLRenderer } from "three";
import { whenDone } from "./fence";
import type { Materials } from "./materials";

/**
 * Draws of nothing with all that tiles are drawn with. The browser compiles that from now on; `ready` runs once it has, and
 * they can be drawn, once, without the page waiting.
 */
export function warmed(renderer: WebGLRenderer, { opaque, glass, edges }: Materials, ready: () => void): Group {
  const group = new Group();
  for (const position of [new BufferAttribute(new Uint16Array(12), 4, true), undefined]) {
    const geometry = pointless(new BufferGeometry(), position);
    group.add(new Mesh(geometry, opaque), new Mesh(geometry, glass), new LineSegments(geometry, edges));
  }
  for (const object of group.children) object.frustumCulled = false;
  renderer.compile(group, new Camera());
  whenDone(renderer.getContext() as WebGL2RenderingContext, ready);
  return group;
}

/** A triangle whose corners are one, in memory as those of tiles are. */
export function pointless<G extends BufferGeometry>(geometry: G, position = new BufferAttribute(new Float32Array(9), 3)): G {
  const feature = new BufferAttribute(new Uint32Array(3), 1);
  feature.gpuType = IntType;
  geometry
    .setAttribute("position", position)
    .setAttribute("feature", feature)
    .setAttribute("normal", new BufferAttribute(new Int8Array(12), 4, true))
    .setAttribute("color", new BufferAttribute(new Uint8Array(12), 4, true))
    .setIndex(new BufferAttribute(new Uint16Array([0, 1, 2]), 1));
  return geometry;
}

export function cool(group: Group): void {
  group.removeFromParent();
  for (const object of group.children) (object as Mesh).geometry.dispose();
}
