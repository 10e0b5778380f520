/** Materials of the passes. All of them share one set of uniforms, so that a value is set once per frame for all. */
import {
  Color, CustomBlending, DoubleSide, FrontSide, GLSL3, GreaterDepth, Matrix4, MaxEquation,
  NoBlending, NormalBlending, OneFactor, RawShaderMaterial, Vector3, Vector4, type IUniform, type Texture,
} from "three";
import {
  DEPTH_FRAGMENT, EDGE_FRAGMENT, EDGE_VERTEX, HEIGHT_FRAGMENT, SURFACE_FRAGMENT, SURFACE_VERTEX,
} from "./shaders";
import type { Theme } from "./types";

export const NO_CUT = 1e9;
/** Planes that the shaders have room for. */
export const MAX_PLANES = 6;

const linear = (hex: string): Vector3 => {
  const c = new Color(hex);
  return new Vector3(c.r, c.g, c.b);
};
const srgb = (hex: string): Vector3 => {
  const c = new Color(hex).convertLinearToSRGB();
  return new Vector3(c.r, c.g, c.b);
};
const srgba = (hex: string, alpha: number): Vector4 => {
  const c = srgb(hex);
  return new Vector4(c.x, c.y, c.z, alpha);
};

/** Everything that differs between the light and the dark theme. */
export const THEMES = {
  light: {
    top: srgb("#dfe7f0"), bottom: srgb("#f8f9fb"), sky: linear("#d3deec").multiplyScalar(0.98),
    ground: linear("#c9bfb2").multiplyScalar(0.82), sun: linear("#ffeed6").multiplyScalar(0.85), fill: 0.17,
    edge: srgba("#18222e", 0.62), accent: linear("#1677ff"), accentEdge: srgb("#0958d9"), section: srgb("#39424e"),
    ghost: srgb("#7890a8"), ghostAlpha: 0.085, line: srgba("#8496ab", 0.34), shade: srgba("#2b3a4d", 0.55),
  },
  dark: {
    top: srgb("#0d1218"), bottom: srgb("#222b36"), sky: linear("#b9cbe2").multiplyScalar(0.62),
    ground: linear("#8a8d97").multiplyScalar(0.62), sun: linear("#ffe6c4").multiplyScalar(0.66), fill: 0.15,
    edge: srgba("#05080c", 0.7), accent: linear("#3c9aff"), accentEdge: srgb("#7cc0ff"), section: srgb("#10161d"),
    ghost: srgb("#8fb2d6"), ghostAlpha: 0.065, line: srgba("#6f87a3", 0.26), shade: srgba("#000000", 0.62),
  },
} as const;

export type Uniforms = ReturnType<typeof makeUniforms>;

/** The values that all passes share; keep the objects, change their `value`. */
export function makeUniforms() {
  return {
    uState: { value: null as Texture | null },
    uCut: { value: NO_CUT },
    uPlanes: { value: Array.from({ length: MAX_PLANES }, () => new Vector4()) },
    uPlaneCount: { value: 0 },
    uTime: { value: 0 },
    uEye: { value: new Vector3() },
    uForward: { value: new Vector3() },
    uOrtho: { value: 0 },
    uPixels: { value: 1000 },
    uSun: { value: new Vector3(-0.68, -0.26, 0.72).normalize() },
    uShadowMatrix: { value: new Matrix4() },
    uShadow: { value: null as Texture | null },
    uShadowOn: { value: 0 },
    uShadowTexel: { value: 1 / 2048 },
    uAccent: { value: new Vector3() },
    uAccentEdge: { value: new Vector3() },
    uEdge: { value: new Vector4() },
    uSection: { value: new Vector3() },
    uGhostColor: { value: new Vector3() },
    uGhostAlpha: { value: 0.1 },
    uSky: { value: new Vector3() },
    uGroundLight: { value: new Vector3() },
    uSunColor: { value: new Vector3() },
    uFill: { value: 0 },
    uTop: { value: new Vector3() },
    uBottom: { value: new Vector3() },
    uLine: { value: new Vector4() },
    uShade: { value: new Vector4() },
    uFloor: { value: 0 },
    uReach: { value: 3 },
  };
}

export function applyTheme(uniforms: Uniforms, theme: Theme): void {
  const t = THEMES[theme];
  uniforms.uTop.value.copy(t.top);
  uniforms.uBottom.value.copy(t.bottom);
  uniforms.uSky.value.copy(t.sky);
  uniforms.uGroundLight.value.copy(t.ground);
  uniforms.uSunColor.value.copy(t.sun);
  uniforms.uFill.value = t.fill;
  uniforms.uEdge.value.copy(t.edge);
  uniforms.uAccent.value.copy(t.accent);
  uniforms.uAccentEdge.value.copy(t.accentEdge);
  uniforms.uSection.value.copy(t.section);
  uniforms.uGhostColor.value.copy(t.ghost);
  uniforms.uGhostAlpha.value = t.ghostAlpha;
  uniforms.uLine.value.copy(t.line);
  uniforms.uShade.value.copy(t.shade);
}

export type Materials = ReturnType<typeof makeMaterials>;

export function makeMaterials(uniforms: Uniforms) {
  const shared = uniforms as unknown as Record<string, IUniform>;
  const surface = (define: string, more: Partial<RawShaderMaterial>, fragmentShader = SURFACE_FRAGMENT): RawShaderMaterial => {
    const material = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: SURFACE_VERTEX, fragmentShader, uniforms: shared, side: DoubleSide,
      defines: Object.fromEntries(define.split(" ").map((name) => [name, ""])),
    });
    return Object.assign(material, { name: define, ...more });
  };
  const film = { transparent: true, depthWrite: false, blending: NormalBlending };
  // Faces step back a little so that the crease lines on them win.
  const back = { polygonOffset: true, polygonOffsetFactor: 0.6, polygonOffsetUnits: 1 };
  const edges = (strength: string): RawShaderMaterial =>
    Object.assign(
      new RawShaderMaterial({
        glslVersion: GLSL3, vertexShader: EDGE_VERTEX, fragmentShader: EDGE_FRAGMENT, uniforms: shared,
        defines: { EDGE_STRENGTH: strength },
      }),
      { name: "EDGES", transparent: true, depthWrite: false },
    );
  return {
    opaque: surface("SURFACE", back),
    glass: surface("GLASS", film),
    // Rooms need no second side: from inside one sees the plate, which faces down and is drawn from above.
    spaces: surface("SPACES", film),
    ghost: surface("GHOSTED", film),
    overlay: surface("OVERLAY", { ...film, depthFunc: GreaterDepth }),
    edges: edges("1.0"),
    spaceEdges: edges("0.35"),
    depth: surface("DEPTH", { blending: NoBlending, side: DoubleSide }, DEPTH_FRAGMENT),
    height: surface(
      "HEIGHT",
      {
        transparent: true, depthTest: false, depthWrite: false, side: FrontSide, blending: CustomBlending,
        blendEquation: MaxEquation, blendSrc: OneFactor, blendDst: OneFactor,
      },
      HEIGHT_FRAGMENT,
    ),
  };
}

export function disposeMaterials(materials: Materials): void {
  for (const material of Object.values(materials)) material.dispose();
}
