/** Where the camera goes to show one thing: close enough to see it, far enough to see where it is. */
import type { Box, Scene3D, Vec3, View } from "../../engine";
import type { Viewpoint } from "../../api/types";

/** m; a detector on a ceiling is shown with as much room around it. */
const CONTEXT = 6;
/** m; a server's viewpoint stands in the room, and the storey is cut open: step back to see the room. */
const DISTANCE = 8;

/** The box grown to at least `size` in plan around its middle; its height stays. */
export function withContext(box: Box, size = CONTEXT): Box {
  const grow = (axis: 0 | 1): [number, number] => {
    const missing = Math.max(0, size - (box.max[axis] - box.min[axis])) / 2;
    return [box.min[axis] - missing, box.max[axis] + missing];
  };
  const [x, y] = [grow(0), grow(1)];
  return { min: [x[0], y[0], box.min[2]], max: [x[1], y[1], box.max[2]] };
}

/** The same direction from at least `distance` away, never flatter than 30 degrees above the target. */
export function steppedBack(viewpoint: Viewpoint, distance = DISTANCE): View {
  const { eye, target } = viewpoint;
  const along: Vec3 = [eye[0] - target[0], eye[1] - target[1], eye[2] - target[2]];
  const flat = Math.hypot(along[0], along[1]) || 1;
  const far = Math.max(distance, Math.hypot(...along));
  const tilt = Math.max(Math.atan2(along[2], flat), Math.PI / 6);
  const plan = (far * Math.cos(tilt)) / flat;
  return { eye: [target[0] + along[0] * plan, target[1] + along[1] * plan, target[2] + far * Math.sin(tilt)], target };
}

export function lookAt(scene: Scene3D, globalId: string): Promise<void> {
  const box = scene.boxOf(globalId);
  return scene.flyTo(box ? withContext(box) : globalId);
}
