/** The camera as WebGL needs it, and between points of the scene and of the canvas. Scene coordinates. */
import { Matrix4, OrthographicCamera, PerspectiveCamera, type Box3, Sphere } from "three";
import type { Uniforms } from "./materials";
import { add, basis, clipDistances, dot, scale, slopeOf, sub, type Pose, type V3 } from "./rig";

/** CSS pixels of the canvas. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type LensCamera = PerspectiveCamera | OrthographicCamera;

export class Lens {
  readonly #perspective = new PerspectiveCamera();
  readonly #orthographic = new OrthographicCamera();

  constructor() {
    for (const camera of [this.#perspective, this.#orthographic]) {
      camera.matrixAutoUpdate = false;
      camera.matrixWorldAutoUpdate = false;
    }
  }

  /** Put the camera at a pose and tell the shaders; `bounds` is everything that may be seen, empty when unknown. */
  place(pose: Pose, size: Size, bounds: Box3, uniforms: Uniforms): LensCamera {
    const { eye, yaw, pitch, distance, ortho } = pose;
    const { right, up, forward } = basis(yaw, pitch);
    const camera = ortho ? this.#orthographic : this.#perspective;
    camera.matrixWorld.set(
      right[0], up[0], -forward[0], eye[0], right[1], up[1], -forward[1], eye[1], right[2], up[2], -forward[2], eye[2], 0, 0, 0, 1);
    camera.matrix.copy(camera.matrixWorld);
    camera.matrixWorldInverse.copy(camera.matrixWorld).invert();
    const { near, far } = clipDistances(pose, depthBounds(bounds));
    camera.near = near;
    camera.far = far;
    const tall = slopeOf(pose) * distance;
    const aspect = size.width / size.height;
    if (camera instanceof PerspectiveCamera) {
      camera.fov = (Math.atan(slopeOf(pose)) * 360) / Math.PI;
      camera.aspect = aspect;
    } else {
      camera.top = tall;
      camera.bottom = -tall;
      camera.right = tall * aspect;
      camera.left = -camera.right;
    }
    camera.updateProjectionMatrix();
    uniforms.uEye.value.set(...eye);
    uniforms.uForward.value.set(...forward);
    uniforms.uOrtho.value = ortho ? 1 : 0;
    uniforms.uPixels.value = size.height / (2 * slopeOf(pose) * (ortho ? distance : 1));
    return camera;
  }
}

/** The building and the floor around it. */
function depthBounds(bounds: Box3): { min: V3; max: V3 } {
  if (bounds.isEmpty()) return { min: [-50, -50, -50], max: [50, 50, 50] };
  const { min, max } = bounds;
  const reach = bounds.getBoundingSphere(new Sphere()).radius * 2;
  return { min: [min.x - reach, min.y - reach, min.z - 1], max: [max.x + reach, max.y + reach, max.z + 1] };
}

/** What a camera sees, as one matrix. */
export const viewProjection = (camera: LensCamera): Matrix4 =>
  new Matrix4().multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);

/** The point of the scene behind a CSS position at a distance along the view direction. */
export function unproject(pose: Pose, { width, height }: Size, x: number, y: number, depth: number): V3 {
  const { right, up, forward } = basis(pose.yaw, pose.pitch);
  const size = slopeOf(pose) * (pose.ortho ? pose.distance : depth);
  const dx = ((2 * x) / width - 1) * size * (width / height);
  const dy = (1 - (2 * y) / height) * size;
  return add(pose.eye, add(scale(forward, depth), add(scale(right, dx), scale(up, dy))));
}

/** CSS position of a scene point; null behind the camera. */
export function project(pose: Pose, { width, height }: Size, point: V3): { x: number; y: number } | null {
  const { right, up, forward } = basis(pose.yaw, pose.pitch);
  const from = sub(point, pose.eye);
  const depth = dot(from, forward);
  if (!pose.ortho && depth < 0.05) return null;
  const size = slopeOf(pose) * (pose.ortho ? pose.distance : depth);
  return {
    x: ((dot(from, right) / (size * (width / height)) + 1) / 2) * width,
    y: ((1 - dot(from, up) / size) / 2) * height,
  };
}
