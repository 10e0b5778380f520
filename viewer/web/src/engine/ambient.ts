/**
 * Ambient occlusion: corners and what stands close together darken. Drawn once the camera rests, over the finished picture,
 * and gone as soon as it moves; on software OpenGL and phones only where it is asked for.
 */
import {
  BufferAttribute, BufferGeometry, CustomBlending, DepthTexture, GLSL3, LinearFilter, Matrix4, Mesh, NearestFilter, OrthographicCamera,
  RawShaderMaterial, RedFormat, Scene, SrcColorFactor, UnsignedByteType, UnsignedIntType, Vector2, WebGLRenderTarget, ZeroFactor,
  type Texture, type WebGLRenderer,
} from "three";
import { AMBIENT_BLUR_FRAGMENT, AMBIENT_FRAGMENT, AMBIENT_OVER_FRAGMENT } from "./ambient-shaders";
import type { LensCamera } from "./lens";
import type { Materials } from "./materials";
import { thisDevice } from "./residency";
import { SKY_VERTEX } from "./shaders";
import type { Quality } from "./types";

const REST = 220; // ms without a movement
const FADE = 160; // ms
const WIDEST = 2200; // px; a larger picture is darkened with fewer
const [STRONG, GENTLE] = [0.85, 0.3];
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export class Ambient {
  /** Colours mean something now: darken them little, so that they stay what the legend says. */
  gentle = false;
  readonly #materials: Materials;
  readonly #changed: () => void;
  readonly #able: boolean;
  #quality: Quality = "auto";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = false;
  #ready = false;
  #since = 0;
  #depth: WebGLRenderTarget | null = null;
  #targets: readonly WebGLRenderTarget[] = [];
  readonly #scene = new Scene();
  readonly #eye = new OrthographicCamera();
  readonly #screen: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly #uniforms = {
    uDepth: { value: null as Texture | null }, uSource: { value: null as Texture | null }, uFrom: { value: new Matrix4() },
    uTexel: { value: new Vector2() }, uDirection: { value: new Vector2() }, uRadius: { value: 1 }, uReach: { value: 1 }, uAspect: { value: 1 },
    uOrtho: { value: 0 }, uStrength: { value: 0 },
  };
  readonly #occlude: RawShaderMaterial;
  readonly #blur: RawShaderMaterial;
  readonly #over: RawShaderMaterial;

  /** `changed`: draw again. */
  constructor(renderer: WebGLRenderer, materials: Materials, changed: () => void) {
    this.#materials = materials;
    this.#changed = changed;
    this.#able = !SOFTWARE.test(nameOf(renderer)) && !thisDevice().handheld;
    const material = (fragmentShader: string): RawShaderMaterial => new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: SKY_VERTEX, fragmentShader, uniforms: this.#uniforms, depthTest: false, depthWrite: false,
    });
    this.#occlude = material(AMBIENT_FRAGMENT);
    this.#blur = material(AMBIENT_BLUR_FRAGMENT);
    this.#over = Object.assign(material(AMBIENT_OVER_FRAGMENT), {
      transparent: true, blending: CustomBlending, blendSrc: ZeroFactor, blendDst: SrcColorFactor, blendSrcAlpha: ZeroFactor, blendDstAlpha: SrcColorFactor,
    });
    const whole = new BufferGeometry().setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 3, -1, 0, -1, 3, 0]), 3));
    this.#screen = new Mesh(whole, this.#occlude);
    this.#screen.frustumCulled = false;
    this.#scene.add(this.#screen);
  }

  get on(): boolean {
    return this.#quality === "on" || (this.#quality === "auto" && this.#able);
  }

  /** Whether the picture shows it. */
  get shown(): boolean {
    return this.#ready;
  }

  setQuality(quality: Quality): void {
    this.#quality = quality;
    this.stale();
    this.#changed();
  }

  /** What is seen is another thing now. */
  stale(): void {
    this.#ready = this.#due = false;
    clearTimeout(this.#timer);
  }

  /** Do not wait for the camera to rest: a picture is taken. */
  hurry(): void {
    this.stale();
    this.#due = this.on;
  }

  /**
   * A frame is drawn: darken it where that is due. `prepare` shows what may darken; `span` is how many metres high the
   * picture is where it is looked at.
   */
  frame(renderer: WebGLRenderer, root: Scene, camera: LensCamera, span: number, now: number, still: boolean, prepare: () => () => void): void {
    if (!this.on) return;
    if (!still) this.stale();
    else if (this.#due && !this.#ready) {
      const restore = prepare();
      this.#compute(renderer, root, camera, span);
      restore();
      [this.#ready, this.#due, this.#since] = [true, false, now];
    }
    if (this.#ready) this.#draw(renderer, now);
    else {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#due = true;
        this.#changed();
      }, REST);
    }
  }

  #compute(renderer: WebGLRenderer, root: Scene, camera: LensCamera, span: number): void {
    const size = renderer.getDrawingBufferSize(new Vector2());
    if (size.x > WIDEST) size.multiplyScalar(WIDEST / size.x).round();
    this.#fit(size.x, size.y);
    const depth = this.#depth as WebGLRenderTarget;
    const before = renderer.getRenderTarget();
    root.overrideMaterial = this.#materials.depth;
    renderer.setRenderTarget(depth);
    renderer.clear();
    renderer.render(root, camera);
    root.overrideMaterial = null;
    const u = this.#uniforms;
    u.uDepth.value = depth.depthTexture;
    u.uFrom.value.copy(camera.projectionMatrixInverse);
    u.uTexel.value.set(1 / size.x, 1 / size.y);
    u.uAspect.value = size.x / size.y;
    u.uRadius.value = Math.min(6, Math.max(0.35, span * 0.045));
    u.uOrtho.value = camera instanceof OrthographicCamera ? 1 : 0;
    u.uReach.value = camera.projectionMatrix.elements[5] / 2; // pictures high per metre, at 1 m
    const [a, b] = this.#targets as [WebGLRenderTarget, WebGLRenderTarget];
    this.#pass(renderer, this.#occlude, a, null, 0, 0);
    this.#pass(renderer, this.#blur, b, a, 1, 0);
    this.#pass(renderer, this.#blur, a, b, 0, 1);
    renderer.setRenderTarget(before);
  }

  #pass(renderer: WebGLRenderer, material: RawShaderMaterial, to: WebGLRenderTarget | null, from: WebGLRenderTarget | null, x: number, y: number): void {
    this.#uniforms.uSource.value = from?.texture ?? null;
    this.#uniforms.uDirection.value.set(x, y).multiply(this.#uniforms.uTexel.value);
    this.#screen.material = material;
    renderer.setRenderTarget(to);
    renderer.render(this.#scene, this.#eye);
  }

  #draw(renderer: WebGLRenderer, now: number): void {
    const share = Math.min(1, (now - this.#since) / FADE);
    this.#uniforms.uStrength.value = (this.gentle ? GENTLE : STRONG) * (reduced() ? 1 : share);
    this.#pass(renderer, this.#over, renderer.getRenderTarget(), this.#targets[0] as WebGLRenderTarget, 0, 0);
    if (share < 1 && !reduced()) this.#changed();
  }

  #fit(width: number, height: number): void {
    if (this.#depth?.width === width && this.#depth.height === height) return;
    this.drop();
    const depthTexture = new DepthTexture(width, height, UnsignedIntType);
    depthTexture.minFilter = depthTexture.magFilter = NearestFilter;
    this.#depth = new WebGLRenderTarget(width, height, { depthTexture, generateMipmaps: false, format: RedFormat });
    this.#targets = [0, 1].map(() => new WebGLRenderTarget(width, height, {
      format: RedFormat, type: UnsignedByteType, minFilter: LinearFilter, magFilter: LinearFilter, depthBuffer: false,
    }));
  }

  /** Bytes of its textures on the GPU. */
  get bytes(): number {
    return this.#depth ? this.#depth.width * this.#depth.height * 7 : 0;
  }

  /** The GPU has lost it, or nobody needs it any more. */
  drop(): void {
    this.#depth?.depthTexture?.dispose();
    for (const target of [this.#depth, ...this.#targets]) target?.dispose();
    this.#depth = null;
    this.#targets = [];
  }

  dispose(): void {
    this.stale();
    this.drop();
    this.#screen.geometry.dispose();
    for (const material of [this.#occlude, this.#blur, this.#over]) material.dispose();
  }
}

const reduced = (): boolean => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;

/** What draws, as far as the browser tells. */
function nameOf(renderer: WebGLRenderer): string {
  const gl = renderer.getContext();
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return String(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER));
}
