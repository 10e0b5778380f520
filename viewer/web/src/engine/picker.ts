/**
 * What lies under a pixel: the scene is drawn into one pixel whose value is the feature's number and its distance,
 * through the same state texture and cut as the picture, so that what cannot be seen cannot be picked.
 */
import { WebGLRenderTarget, NearestFilter, type OrthographicCamera, type PerspectiveCamera, type WebGLRenderer, type RawShaderMaterial, type Scene } from "three";

export interface RawHit {
  readonly feature: number;
  /** Metres along the view direction. */
  readonly depth: number;
}

export type Eye = PerspectiveCamera | OrthographicCamera;

export class Picker {
  readonly #target = new WebGLRenderTarget(1, 1, {
    count: 2, minFilter: NearestFilter, magFilter: NearestFilter, generateMipmaps: false, depthBuffer: true,
  });
  readonly #ids = new Uint8Array(4);
  readonly #depths = new Uint8Array(4);

  /** Draw the pixel (x, y) of a `width` × `height` picture; `read` fetches the result. */
  draw(renderer: WebGLRenderer, scene: Scene, camera: Eye, x: number, y: number, width: number, height: number,
       passes: readonly { material: RawShaderMaterial; prepare: () => void }[]): void {
    camera.setViewOffset(width, height, x, y, 1, 1);
    const before = renderer.getRenderTarget();
    const alpha = renderer.getClearAlpha();
    renderer.setClearAlpha(0);
    renderer.setRenderTarget(this.#target);
    renderer.clear();
    for (const { material, prepare } of passes) {
      prepare();
      scene.overrideMaterial = material;
      renderer.render(scene, camera);
    }
    scene.overrideMaterial = null;
    renderer.setRenderTarget(before);
    renderer.setClearAlpha(alpha);
    camera.clearViewOffset();
  }

  /** The pixel drawn last; waits for the GPU. */
  read(renderer: WebGLRenderer): RawHit | null {
    renderer.readRenderTargetPixels(this.#target, 0, 0, 1, 1, this.#ids, undefined, 0);
    renderer.readRenderTargetPixels(this.#target, 0, 0, 1, 1, this.#depths, undefined, 1);
    return decodeHit(this.#ids, this.#depths);
  }

  /** The same without waiting. The pixel is copied before anything else is drawn. */
  async readAsync(renderer: WebGLRenderer): Promise<RawHit | null> {
    const [ids, depths] = [new Uint8Array(4), new Uint8Array(4)];
    await Promise.all([
      renderer.readRenderTargetPixelsAsync(this.#target, 0, 0, 1, 1, ids, undefined, 0),
      renderer.readRenderTargetPixelsAsync(this.#target, 0, 0, 1, 1, depths, undefined, 1),
    ]);
    return decodeHit(ids, depths);
  }

  dispose(): void {
    this.#target.dispose();
  }
}

/** Feature number plus one and a float32, both as four bytes. */
export function decodeHit(ids: Uint8Array, depths: Uint8Array): RawHit | null {
  const id = new DataView(ids.buffer, ids.byteOffset).getUint32(0, true);
  if (id === 0) return null;
  return { feature: id - 1, depth: new DataView(depths.buffer, depths.byteOffset).getFloat32(0, true) };
}
