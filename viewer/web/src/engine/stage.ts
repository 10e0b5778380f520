/** What surrounds the building: sky, floor with grid, the sun's shadow and the soft dark where it meets the ground. */
import {
  BufferAttribute, BufferGeometry, Box3, DepthTexture, GLSL3, LessEqualCompare, LinearFilter, Matrix4, Mesh,
  OrthographicCamera, RawShaderMaterial, RedFormat, Scene, UnsignedByteType, Vector2, Vector3, Vector4, WebGLRenderTarget,
  type IUniform, type Texture, type WebGLRenderer,
} from "three";
import type { Materials, Uniforms } from "./materials";
import { BLUR_FRAGMENT, FLOOR_FRAGMENT, FLOOR_VERTEX, SKY_FRAGMENT, SKY_VERTEX } from "./shaders";

const SHADOW = 2048;
const CONTACT = 256;

export class Stage {
  readonly #uniforms: Uniforms;
  readonly #materials: Materials;
  readonly #sky: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly #floor: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly #sun = new OrthographicCamera();
  readonly #above = new OrthographicCamera();
  readonly #shadow: WebGLRenderTarget;
  readonly #contact = [0, 1].map(
    () => new WebGLRenderTarget(CONTACT, CONTACT, {
      format: RedFormat, type: UnsignedByteType, minFilter: LinearFilter, magFilter: LinearFilter, depthBuffer: false,
    }),
  ) as [WebGLRenderTarget, WebGLRenderTarget];
  readonly #floorUniforms = {
    uRadius: { value: 100 }, uStep: { value: 1 }, uContact: { value: null as Texture | null }, uContactBox: { value: new Vector4(0, 0, 1, 1) },
  };
  readonly #blurScene = new Scene();
  readonly #blur = { uSource: { value: null as Texture | null }, uDirection: { value: new Vector2() } };
  /** False until a building is there. */
  #placed = false;

  constructor(scene: Scene, uniforms: Uniforms, materials: Materials) {
    this.#uniforms = uniforms;
    this.#materials = materials;
    const shared = uniforms as unknown as Record<string, IUniform>;
    const screen = new BufferGeometry().setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 3, -1, 0, -1, 3, 0]), 3));
    this.#sky = new Mesh(screen, new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: SKY_VERTEX, fragmentShader: SKY_FRAGMENT, uniforms: shared, depthTest: false, depthWrite: false,
    }));
    this.#sky.renderOrder = -100;
    const square = new BufferGeometry().setAttribute(
      "position", new BufferAttribute(new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, -1, 0, 1, 1, 0, -1, 1, 0]), 3));
    this.#floor = new Mesh(square, new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: FLOOR_VERTEX, fragmentShader: FLOOR_FRAGMENT, transparent: true, depthWrite: false,
      uniforms: { ...shared, ...this.#floorUniforms },
    }));
    this.#floor.renderOrder = 5;
    this.#floor.visible = false;
    for (const mesh of [this.#sky, this.#floor]) {
      mesh.frustumCulled = false;
      mesh.matrixAutoUpdate = false;
      mesh.matrixWorldAutoUpdate = false;
      scene.add(mesh);
    }
    const depth = new DepthTexture(SHADOW, SHADOW);
    depth.compareFunction = LessEqualCompare;
    depth.minFilter = depth.magFilter = LinearFilter;
    this.#shadow = new WebGLRenderTarget(SHADOW, SHADOW, { depthTexture: depth, generateMipmaps: false, format: RedFormat });
    const blur = new Mesh(screen, new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: SKY_VERTEX, fragmentShader: BLUR_FRAGMENT, uniforms: this.#blur, depthTest: false, depthWrite: false,
    }));
    blur.frustumCulled = false;
    this.#blurScene.add(blur);
  }

  /** Bytes of its textures on the GPU. */
  get bytes(): number {
    return SHADOW * SHADOW * 5 + 2 * CONTACT * CONTACT;
  }

  /** Put the floor under the building and aim the sun at it. `box` in scene coordinates. */
  place(box: Box3): void {
    if (box.isEmpty()) return;
    const size = box.getSize(new Vector3());
    const center = box.getCenter(new Vector3());
    const radius = size.length() / 2;
    const floor = box.min.z - Math.max(0.02, size.z * 0.001);
    const reach = Math.max(60, radius * 5);
    this.#floor.matrix.makeScale(reach, reach, 1).setPosition(center.x, center.y, floor);
    this.#floor.matrixWorld.copy(this.#floor.matrix);
    this.#floorUniforms.uRadius.value = reach * 0.98;
    this.#floorUniforms.uStep.value = radius > 150 ? 10 : radius > 12 ? 5 : 1;
    this.#uniforms.uFloor.value = floor;
    this.#uniforms.uReach.value = Math.max(0.6, Math.min(4, size.z * 0.12));
    aim(this.#sun, center, this.#uniforms.uSun.value, new Vector3(0, 0, 1), box);
    const grow = Math.max(size.x, size.y) * 0.2 + 1;
    const wide = new Box3(box.min.clone().addScalar(-grow).setZ(floor), box.max.clone().addScalar(grow));
    aim(this.#above, wide.getCenter(new Vector3()), new Vector3(0, 0, 1), new Vector3(0, 1, 0), wide);
    const w = wide.getSize(new Vector3());
    this.#floorUniforms.uContactBox.value.set(wide.min.x, wide.min.y, w.x, w.y);
    this.#uniforms.uShadowMatrix.value
      .set(0.5, 0, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0, 0.5, 0.5, 0, 0, 0, 1)
      .multiply(this.#sun.projectionMatrix)
      .multiply(this.#sun.matrixWorldInverse);
    this.#uniforms.uShadowTexel.value = 1 / SHADOW;
    this.#placed = true;
    this.#floor.visible = true;
  }

  /** Sky and floor on or off: off while ids are drawn. */
  show(on: boolean): void {
    this.#sky.visible = on;
    this.#floor.visible = on && this.#placed;
  }

  /** Draw the shadows anew: after tiles came, or something was hidden or cut. Tiles must be set to the shadow pass. */
  update(renderer: WebGLRenderer, scene: Scene): void {
    if (!this.#placed) return;
    const u = this.#uniforms;
    u.uShadowOn.value = 0;
    u.uShadow.value = null;
    this.#floorUniforms.uContact.value = null;
    this.show(false);
    const before = renderer.getRenderTarget();
    scene.overrideMaterial = this.#materials.depth;
    renderer.setRenderTarget(this.#shadow);
    renderer.clear();
    renderer.render(scene, this.#sun);
    scene.overrideMaterial = this.#materials.height;
    renderer.setRenderTarget(this.#contact[0]);
    renderer.clear();
    renderer.render(scene, this.#above);
    scene.overrideMaterial = null;
    for (let round = 0; round < 2; round++) {
      this.#smooth(renderer, 0, 1, 1, 0);
      this.#smooth(renderer, 1, 0, 0, 1);
    }
    renderer.setRenderTarget(before);
    u.uShadow.value = this.#shadow.depthTexture;
    u.uShadowOn.value = 1;
    this.#floorUniforms.uContact.value = this.#contact[0].texture;
    this.show(true);
  }

  #smooth(renderer: WebGLRenderer, from: 0 | 1, to: 0 | 1, x: number, y: number): void {
    this.#blur.uSource.value = this.#contact[from].texture;
    this.#blur.uDirection.value.set(x / CONTACT, y / CONTACT);
    renderer.setRenderTarget(this.#contact[to]);
    renderer.render(this.#blurScene, this.#sun);
  }

  dispose(): void {
    for (const mesh of [this.#sky, this.#floor, this.#blurScene.children[0] as Mesh<BufferGeometry, RawShaderMaterial>]) {
      mesh.geometry.dispose();
      mesh.material.dispose();
    }
    this.#shadow.depthTexture?.dispose();
    this.#shadow.dispose();
    for (const target of this.#contact) target.dispose();
  }
}

/** Place an orthographic camera so that it looks at the box against `from` and just holds it. */
function aim(camera: OrthographicCamera, center: Vector3, from: Vector3, up: Vector3, box: Box3): void {
  const size = box.getSize(new Vector3()).length();
  camera.matrixAutoUpdate = false;
  camera.matrixWorldAutoUpdate = false;
  camera.matrixWorld.lookAt(from, new Vector3(), up).setPosition(center.clone().addScaledVector(from, size));
  camera.matrixWorldInverse.copy(camera.matrixWorld).invert();
  const inView = box.clone().applyMatrix4(new Matrix4().copy(camera.matrixWorldInverse));
  camera.left = inView.min.x;
  camera.right = inView.max.x;
  camera.bottom = inView.min.y;
  camera.top = inView.max.y;
  camera.near = Math.max(-inView.max.z - 1, 0.1);
  camera.far = -inView.min.z + 1;
  camera.updateProjectionMatrix();
}
