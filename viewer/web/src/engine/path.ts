/** A way through the building as a tube along its points. */
import { CurvePath, LineCurve3, Mesh, MeshBasicMaterial, TubeGeometry, Vector3 } from "three";
import type { V3 } from "./rig";

const LIFT = 0.25; // m above the floor
const RADIUS = 0.09; // m

export type PathMesh = Mesh<TubeGeometry, MeshBasicMaterial>;

/** The tube, seen through everything; null for less than two different points. Scene coordinates. */
export function makePath(points: readonly V3[]): PathMesh | null {
  const corners = points.map(([x, y, z]) => new Vector3(x, y, z + LIFT));
  const curve = new CurvePath<Vector3>();
  for (let i = 1; i < corners.length; i++) {
    const [a, b] = [corners[i - 1] as Vector3, corners[i] as Vector3];
    if (a.distanceToSquared(b) > 1e-6) curve.add(new LineCurve3(a, b));
  }
  if (curve.curves.length === 0) return null;
  const tube = new TubeGeometry(curve, Math.min(4000, curve.curves.length * 12), RADIUS, 6);
  const mesh = new Mesh(tube, new MeshBasicMaterial({ color: 0x12a35a, depthTest: false, transparent: true, opacity: 0.85 }));
  mesh.frustumCulled = false;
  return mesh;
}
