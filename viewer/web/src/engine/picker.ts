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

  /**
   * Draw the pixel (x, y) of a `width` × `height` picture; `read` fetches the result. `prepare` says whether its pass has
   * anything to draw. False: nothing lies there, and there is no result to fetch.
   */
  draw(renderer: WebGLRenderer, scene: Scene, camera: Eye, x: number, y: number, width: number, height: number,
       passes: readonly { material: RawShaderMaterial; prepare: () => boolean }[]): boolean {
    camera.setViewOffset(width, height, x, y, 1, 1);
    let drawn = false;
    const before = renderer.getRenderTarget();
    const alpha = renderer.getClearAlpha();
    renderer.setClearAlpha(0);
    renderer.setRenderTarget(this.#target);
    renderer.clear();
    for (const { material, prepare } of passes) {
      if (!prepare()) continue;
      drawn = true;
      scene.overrideMaterial = material;
      renderer.render(scene, camera);
    }
    scene.overrideMaterial = null;
    renderer.setRenderTarget(before);
    renderer.setClearAlpha(alpha);
    camera.clearViewOffset();
    return drawn;
  }

  /** The pixel drawn last; waits for the GPU. */
  read(renderer: WebGLRenderer): RawHit | null {
    renderer.readRenderTargetPixels(this.#target, 0, 0, 1, 1, this.#ids, undefined, 0);
    renderer.readRenderTargetPixels(this.#target, 0, 0, 1, 1, this.#depths, undefined, 1);
    return decodeHit(this.#ids, this.#depths);
  }

  /**
   * The same without making the page wait. The pixel is copied before anything else is drawn. By hand: three.js reads
   * each of both values with a fence of its own, and looks whether it is there every four milliseconds.
   */
  async readAsync(renderer: WebGLRenderer): Promise<RawHit | null> {
    const gl = renderer.getContext() as WebGL2RenderingContext;
    const before = renderer.getRenderTarget();
    renderer.setRenderTarget(this.#target);
    const pixels = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, pixels);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, 8, gl.STREAM_READ);
    for (const i of [1, 0]) {
      gl.readBuffer(gl.COLOR_ATTACHMENT0 + i);
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, i * 4);
    }
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    renderer.setRenderTarget(before);
    try {
      await passed(gl);
      const bytes = new Uint8Array(8);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, pixels);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, bytes);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      return decodeHit(bytes.subarray(0, 4), bytes.subarray(4));
    } finally {
      gl.deleteBuffer(pixels);
    }
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

/** Resolves when the GPU has done what it was told; rejects when the context is lost. */
async function passed(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (!fence) throw new Error("the graphics context is lost");
  gl.flush();
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      const state = gl.clientWaitSync(fence, 0, 0);
      if (state === gl.WAIT_FAILED || gl.isContextLost()) throw new Error("the graphics context is lost");
      if (state !== gl.TIMEOUT_EXPIRED) return;
    }
  } finally {
    gl.deleteSync(fence);
  }
}
