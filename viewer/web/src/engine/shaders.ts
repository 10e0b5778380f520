/**
 * The tile material's GLSL. One source, cut by defines into the passes:
 *
 * SURFACE   opaque, lit, with a section fill where the cut opens a solid
 * GLASS     transparent, lit
 * SPACES    room volumes: a floor plate one can read colours from, walls hardly there
 * GHOSTED   only ghosted features, a thin film
 * OVERLAY   only selected and alarmed features where something hides them
 * DEPTH     nothing but depth, for the sun's shadow map
 * EDGES     crease lines
 *
 * Space is the scene's: building frame minus the scene's origin, z up. Flags are those of features.ts.
 */

const COMMON = /* glsl */ `
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DShadow;
#define HIDDEN 1u
#define GHOST 2u
#define SELECTED 4u
#define HIGHLIGHTED 8u
#define COLORED 128u
uniform sampler2D uState;
uniform float uCut;         // height above which nothing is drawn, scene z
uniform vec4 uPlanes[6];    // planes: what lies where dot(xyz, p) + w is positive is cut away
uniform int uPlaneCount;
uniform float uTime;        // s, drives the pulse; stands still where motion is not wanted
uniform vec3 uAccent;       // linear
uniform vec3 uEye;          // scene
uniform vec3 uForward;      // what the camera looks along
uniform float uOrtho;       // 1 with an orthographic camera
bool isCutOpen() { return uCut < 1.0e8 || uPlaneCount > 0; }
bool isCutAway(vec3 p) {
  if (p.z > uCut) return true;
  for (int i = 0; i < uPlaneCount; i++)
    if (dot(uPlanes[i].xyz, p) + uPlanes[i].w > 0.0) return true;
  return false;
}
`;

const VERTEX_COMMON = /* glsl */ `
uniform mat4 viewMatrix;
uniform mat4 modelViewMatrix; // the only one that is set for each draw; tiles are scaled alike in all directions
uniform mat4 projectionMatrix;
layout(location = 0) in vec3 position; // see LOCATIONS in draws.ts
layout(location = 1) in uint feature;
vec4 stateOf(uint f) { return texelFetch(uState, ivec2(int(f & 255u), int(f >> 8u)), 0); }
uint flagsOf(vec4 state) { return uint(state.a * 255.0 + 0.5); }
const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);
vec3 sceneOf(vec3 view) { return transpose(mat3(viewMatrix)) * (view - viewMatrix[3].xyz); }
`;

export const SURFACE_VERTEX = /* glsl */ `${COMMON}${VERTEX_COMMON}
layout(location = 2) in vec3 normal;
layout(location = 3) in vec4 color;
out vec3 vNormal;
out vec3 vPosition;
out vec4 vColor;
flat out uint vFlags;

bool wanted(uint flags) {
  if ((flags & HIDDEN) != 0u) return false;
#if defined(GHOSTED)
  return (flags & GHOST) != 0u;
#elif defined(OVERLAY)
  return (flags & (SELECTED | 112u)) != 0u;
#else
  return (flags & GHOST) == 0u;
#endif
}

void main() {
  vec4 state = stateOf(feature);
  uint flags = flagsOf(state);
  if (!wanted(flags)) { gl_Position = NOWHERE; return; }
  vNormal = transpose(mat3(viewMatrix)) * normalize(mat3(modelViewMatrix) * normal);
  vFlags = flags;
  vColor = color;
  if ((flags & COLORED) != 0u) vColor.rgb = pow(state.rgb, vec3(2.2));
  vec4 view = modelViewMatrix * vec4(position, 1.0);
#ifdef SPACES
  // A room's floor coincides with the slab's top: lift the plate off it.
  if (vNormal.z < -0.7) view += viewMatrix * vec4(0.0, 0.0, 0.03, 0.0);
#endif
  vPosition = sceneOf(view.xyz);
  gl_Position = projectionMatrix * view;
}
`;

const LIGHT = /* glsl */ `
uniform vec3 uSun;          // towards the sun
uniform vec3 uSunColor;
uniform vec3 uSky;
uniform vec3 uGroundLight;
uniform float uFill;        // light from the camera, so that nothing turns black
uniform mat4 uShadowMatrix;
uniform sampler2DShadow uShadow;
uniform float uShadowOn;
uniform float uShadowTexel;

vec3 viewDirection(vec3 p) { return uOrtho > 0.5 ? -uForward : normalize(uEye - p); }

float sunlight(vec3 p, vec3 n) {
  if (uShadowOn < 0.5) return 1.0;
  vec3 c = (uShadowMatrix * vec4(p + n * 0.06, 1.0)).xyz;
  if (any(lessThan(c, vec3(0.0))) || any(greaterThan(c, vec3(1.0)))) return 1.0;
  c.z -= 0.0006;
  float lit = 0.0;
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++) lit += texture(uShadow, vec3(c.xy + vec2(x, y) * uShadowTexel * 1.4, c.z));
  return lit / 9.0;
}

vec3 shade(vec3 albedo, vec3 n, vec3 p, float flatness) {
  float facing = max(dot(n, uSun), 0.0);
  float sun = facing > 0.0 ? facing * sunlight(p, n) : 0.0;
  vec3 light = mix(uGroundLight, uSky, n.z * 0.5 + 0.5) + uSunColor * sun + uFill * max(dot(n, viewDirection(p)), 0.0);
  return albedo * mix(light, vec3(dot(light, vec3(0.3333)) * 0.35 + 0.62), flatness);
}

`;

const TONE = /* glsl */ `
// Linear up to 0.7, then a soft shoulder: tints stay what the legend says, whites do not clip.
vec3 tone(vec3 c) {
  c = mix(c, 0.7 + 0.3 * (1.0 - exp(-(c - 0.7) / 0.3)), step(0.7, c));
  return mix(c * 12.92, 1.055 * pow(max(c, 0.0), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}
`;

const ALARM = /* glsl */ `
vec3 alarmColor(uint severity) {
  if (severity >= 4u) return vec3(0.82, 0.02, 0.03);
  if (severity == 3u) return vec3(0.90, 0.16, 0.01);
  if (severity == 2u) return vec3(0.88, 0.42, 0.01);
  return vec3(0.10, 0.32, 0.80);
}
float pulse(uint severity) { return 0.5 + 0.5 * sin(uTime * (severity >= 4u ? 7.0 : 4.0)); }
`;

export const SURFACE_FRAGMENT = /* glsl */ `${COMMON}${LIGHT}${TONE}${ALARM}
uniform vec3 uSection;      // what a cut solid is filled with, sRGB
uniform vec3 uGhostColor;   // sRGB
uniform float uGhostAlpha;
in vec3 vNormal;
in vec3 vPosition;
in vec4 vColor;
flat in uint vFlags;
layout(location = 0) out vec4 outColor;

void main() {
  if (isCutAway(vPosition)) discard;
  vec3 n = normalize(vNormal);
  vec3 v = viewDirection(vPosition);
  uint severity = (vFlags >> 4u) & 7u;
  bool selected = (vFlags & SELECTED) != 0u;
  bool colored = (vFlags & COLORED) != 0u;
#if defined(SURFACE)
  if (isCutOpen() && !gl_FrontFacing && !selected && severity == 0u) { outColor = vec4(uSection, 1.0); return; }
#endif
#if defined(OVERLAY)
  vec3 mark = severity > 0u ? alarmColor(severity) : uAccent;
  float beat = severity > 0u ? 0.30 + 0.35 * pulse(severity) : 0.28;
  outColor = vec4(tone(mark * (0.75 + 0.5 * abs(dot(n, v)))), beat);
  return;
#endif
#if defined(SPACES)
  bool plate = n.z < -0.7;
  if (n.z > 0.7 && !selected) discard;
  n = plate ? -n : n;
#endif
  if (dot(n, v) < 0.0) n = -n;
  float rim = pow(1.0 - abs(dot(n, v)), 2.0);
  vec3 albedo = vColor.rgb;
  float alpha = vColor.a;
  // Coloured quite black: there should be a value and is none.
  bool empty = colored && vColor.r + vColor.g + vColor.b == 0.0;
  if (empty) {
    float stripe = abs(fract((vPosition.x + vPosition.y + vPosition.z) / 0.7) - 0.5) * 2.0;
    float wide = fwidth(stripe);
    albedo = mix(vec3(0.30, 0.34, 0.38), vec3(0.78, 0.80, 0.82), smoothstep(0.62 - wide, 0.62 + wide, 1.0 - stripe));
  }
#if defined(SPACES)
  alpha = plate ? (colored ? 0.94 : 0.20) : ((colored ? 0.10 : 0.05) + 0.10 * rim) * (isCutOpen() ? 0.35 : 1.0);
  if (empty && plate) alpha = 0.7;
  if (selected) alpha = plate ? 0.9 : 0.22 + 0.25 * rim;
#elif defined(GLASS)
  if (colored) alpha = max(alpha, 0.75);
  alpha = clamp(alpha + rim * 0.25, 0.0, 1.0);
  if (selected || severity > 0u) alpha = max(alpha, 0.7);
#endif
  if (severity > 0u) albedo = mix(albedo, alarmColor(severity), 0.55 + 0.40 * pulse(severity));
  if (selected) albedo = mix(albedo, uAccent, 0.62);
  vec3 lit = shade(albedo, n, vPosition, colored || severity > 0u ? 0.6 : selected ? 0.35 : 0.0);
  if (severity > 0u) lit += alarmColor(severity) * 0.18 * pulse(severity);
  if (selected) lit += uAccent * (0.08 + 0.35 * rim);
  if ((vFlags & HIGHLIGHTED) != 0u) lit = mix(lit, uAccent * 0.5 + 0.5, 0.22 + 0.2 * rim);
#if defined(GHOSTED)
  vec3 film = selected || severity > 0u ? tone(lit) : colored ? mix(uGhostColor, tone(lit), 0.7) : uGhostColor;
  float strength = selected || severity > 0u ? 0.55 : colored ? 0.22 : uGhostAlpha;
  outColor = vec4(film, strength * (0.35 + 1.3 * rim));
  return;
#endif
  outColor = vec4(tone(lit), alpha);
}
`;

export const DEPTH_FRAGMENT = /* glsl */ `${COMMON}
in vec3 vPosition;
in vec4 vColor;
layout(location = 0) out vec4 outColor;
void main() {
  if (isCutAway(vPosition)) discard;
  outColor = vec4(1.0);
}
`;

export const EDGE_VERTEX = /* glsl */ `${COMMON}${VERTEX_COMMON}${TONE}${ALARM}
uniform vec4 uEdge;         // sRGB and alpha
uniform vec3 uAccentEdge;   // sRGB
uniform float uPixels;      // pixels per metre at a distance of 1 m, or everywhere with an orthographic camera
out vec4 vColor;
out vec3 vPosition;
out float vAway;         // m before the eye
void main() {
  uint flags = flagsOf(stateOf(feature));
  if ((flags & HIDDEN) != 0u) { gl_Position = NOWHERE; return; }
  vec4 view = modelViewMatrix * vec4(position, 1.0);
  vPosition = sceneOf(view.xyz);
  // Many lines on few pixels are a grey mush: fade them with distance.
  float density = uOrtho > 0.5 ? uPixels : uPixels / max(-view.z, 0.1);
  vColor = vec4(uEdge.rgb, uEdge.a * EDGE_STRENGTH * clamp(density / 22.0, 0.10, 1.0));
  if ((flags & GHOST) != 0u) vColor.a *= 0.28;
  if ((flags & SELECTED) != 0u) vColor = vec4(uAccentEdge, 1.0);
  else if ((flags & 112u) != 0u) vColor = vec4(tone(alarmColor((flags >> 4u) & 7u)), 0.9);
  else if ((flags & HIGHLIGHTED) != 0u) vColor = vec4(uAccentEdge, 0.8);
  // A hair towards the eye, so that a line wins against the faces it bounds but not against those in front of it.
  view.z += uOrtho > 0.5 ? 0.004 : 0.001 - 0.00006 * view.z;
  vAway = -view.z;
  gl_Position = projectionMatrix * view;
}
`;

export const EDGE_FRAGMENT = /* glsl */ `${COMMON}
uniform mat4 projectionMatrix;
in vec4 vColor;
in vec3 vPosition;
in float vAway;
layout(location = 0) out vec4 outColor;
void main() {
  if (isCutAway(vPosition)) discard;
  // A line shorter than the rasteriser's grid has no slope to take its depth from, gets any, and shows through walls.
  float d = gl_FragCoord.z * 2.0 - 1.0;
  float away = uOrtho > 0.5 ? (projectionMatrix[3][2] - d) / projectionMatrix[2][2] : projectionMatrix[3][2] / (d + projectionMatrix[2][2]);
  if (!(abs(away - vAway) < 0.02 + 0.004 * vAway)) discard;
  outColor = vColor;
}
`;

export const SKY_VERTEX = /* glsl */ `
precision highp float;
in vec3 position;
out vec2 vUv;
void main() { vUv = position.xy * 0.5 + 0.5; gl_Position = vec4(position.xy, 1.0, 1.0); }
`;

export const SKY_FRAGMENT = /* glsl */ `
precision highp float;
uniform vec3 uTop;
uniform vec3 uBottom;
in vec2 vUv;
layout(location = 0) out vec4 outColor;
// A little noise keeps the gradient from banding.
float noise(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453) - 0.5; }
void main() {
  float vignette = 1.0 - 0.10 * dot(vUv - 0.5, vUv - 0.5);
  outColor = vec4(mix(uBottom, uTop, smoothstep(0.0, 1.0, vUv.y)) * vignette + noise(gl_FragCoord.xy) / 255.0, 1.0);
}
`;

export const FLOOR_VERTEX = /* glsl */ `${COMMON}
uniform mat4 modelMatrix;
uniform mat4 viewMatrix;
uniform mat4 projectionMatrix;
in vec3 position;
out vec3 vPosition;
void main() {
  vec4 world = modelMatrix * vec4(position, 1.0);
  vPosition = world.xyz;
  gl_Position = projectionMatrix * viewMatrix * world;
}
`;

export const FLOOR_FRAGMENT = /* glsl */ `${COMMON}${LIGHT}
uniform vec4 uLine;         // sRGB and alpha
uniform vec4 uShade;        // sRGB and alpha of a full shadow
uniform float uRadius;
uniform float uStep;        // m between lines
uniform sampler2D uContact;
uniform vec4 uContactBox;   // scene x, y of its corner, width, height
in vec3 vPosition;
layout(location = 0) out vec4 outColor;

float grid(vec2 p) {
  vec2 width = fwidth(p) + 1.0e-6;
  vec2 line = abs(fract(p - 0.5) - 0.5) / width;
  return (1.0 - min(min(line.x, line.y), 1.0)) * clamp(0.35 / max(width.x, width.y), 0.0, 1.0);
}
void main() {
  float away = length(vPosition.xy) / uRadius;
  float fade = 1.0 - smoothstep(0.35, 1.0, away);
  float line = max(grid(vPosition.xy / uStep) * 0.5, grid(vPosition.xy / (uStep * 5.0)));
  vec2 uv = (vPosition.xy - uContactBox.xy) / uContactBox.zw;
  float contact = all(equal(clamp(uv, 0.0, 1.0), uv)) ? texture(uContact, uv).r : 0.0;
  float shadow = (1.0 - sunlight(vPosition, vec3(0.0, 0.0, 1.0))) * 0.55;
  float dark = 1.0 - (1.0 - shadow) * (1.0 - contact * 0.75);
  vec4 ground = vec4(uShade.rgb, uShade.a * dark * (1.0 - smoothstep(0.6, 1.0, away)));
  float lineAlpha = uLine.a * line * fade;
  float alpha = lineAlpha + ground.a * (1.0 - lineAlpha);
  if (alpha < 0.002) discard;
  outColor = vec4((uLine.rgb * lineAlpha + ground.rgb * ground.a * (1.0 - lineAlpha)) / alpha, alpha);
}
`;

export const HEIGHT_FRAGMENT = /* glsl */ `${COMMON}
uniform float uFloor;
uniform float uReach;       // m above the floor at which something no longer darkens it
in vec3 vPosition;
layout(location = 0) out vec4 outColor;
void main() {
  if (isCutAway(vPosition)) discard;
  outColor = vec4(vec3(exp(-max(vPosition.z - uFloor, 0.0) / uReach)), 1.0);
}
`;

export const BLUR_FRAGMENT = /* glsl */ `
precision highp float;
uniform sampler2D uSource;
uniform vec2 uDirection;
in vec2 vUv;
layout(location = 0) out vec4 outColor;
void main() {
  float sum = 0.0;
  float weight = 0.0;
  for (int i = -8; i <= 8; i++) {
    float w = exp(-float(i * i) / 28.0);
    sum += w * texture(uSource, vUv + uDirection * float(i)).r;
    weight += w;
  }
  outColor = vec4(vec3(sum / weight), 1.0);
}
`;
