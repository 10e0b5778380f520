/**
 * What an element is made of, read back from the arrays that its tile sent to the GPU: edges and triangles for snapping,
 * measuring and walking. Nothing is kept twice.
 */
import type { Matrix4 } from "three";
import { cornersOf, type Grouped } from "./grouped";
import { unitOf } from "./glb";

/** Corners of every segment or triangle of a draw's features that are wanted, x y z after x y z, scene coordinates. */
export function rowsOf(draw: Pick<Grouped, "kind" | "position" | "index" | "starts">, matrix: Matrix4, wanted: Iterable<number>): Float64Array {
  const { index, starts, position: { array, size } } = draw;
  const corners = cornersOf(draw);
  const features = [...wanted].filter((f) => f >= 0 && f < starts.length - 1);
  const rows = features.reduce((sum, f) => sum + (starts[f + 1] as number) - (starts[f] as number), 0);
  const out = new Float64Array(rows * corners * 3);
  const m = matrix.elements;
  const scale = unitOf(draw.position);
  let at = 0;
  for (const f of features)
    for (let i = (starts[f] as number) * corners; i < (starts[f + 1] as number) * corners; i++) {
      const v = (index[i] as number) * size;
      const x = (array[v] as number) * scale, y = (array[v + 1] as number) * scale, z = (array[v + 2] as number) * scale;
      for (let r = 0; r < 3; r++) out[at++] = (m[r] as number) * x + (m[4 + r] as number) * y + (m[8 + r] as number) * z + (m[12 + r] as number);
    }
  return out;
}
