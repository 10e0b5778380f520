/** GLSL of lines with a width on the screen; see ribbon.ts. A corner is drawn by one of its two segments only. */

export const RIBBON_VERTEX = /* glsl */ `
precision highp float;
uniform mat4 viewMatrix;
uniform mat4 projectionMatrix;
uniform vec2 uSize;         // of the drawing buffer
uniform float uWidth;       // pixels of the drawing buffer
in vec3 position;           // x: 0 at the start, 1 at the end; y: side
in vec3 before;
in vec3 start;
in vec3 end;
in vec3 after;
in vec3 tint;
in float metres;
in float ends;              // 1: something lies before, 2: behind, 3: both
flat out vec2 vStart;
flat out vec2 vEnd;
flat out vec2 vBefore;
flat out vec2 vAfter;
flat out vec3 vTint;
flat out float vEnds;
out float vMetres;
out float vHeight;

const float NEAR = 0.06;    // m before the eye

vec2 pixel(vec4 clip) { return (clip.xy / clip.w * 0.5 + 0.5) * uSize; }
float metresPerPixel(vec3 v, bool flatView) { return 2.0 / (projectionMatrix[1][1] * uSize.y) * (flatView ? 1.0 : max(-v.z, NEAR)); }

void main() {
  bool flatView = projectionMatrix[3][3] != 0.0;
  vec3 a = (viewMatrix * vec4(start, 1.0)).xyz;
  vec3 b = (viewMatrix * vec4(end, 1.0)).xyz;
  vec3 p = (viewMatrix * vec4(before, 1.0)).xyz;
  vec3 n = (viewMatrix * vec4(after, 1.0)).xyz;
  float full = length(b - a);
  vec2 share = vec2(0.0, 1.0);
  vEnds = ends;
  if (!flatView) {
    if (a.z > -NEAR && b.z > -NEAR) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
    if (a.z > -NEAR) { share.x = (-NEAR - a.z) / (b.z - a.z); a = mix(a, b, share.x); p = a; }
    else if (b.z > -NEAR) { share.y = (-NEAR - a.z) / (b.z - a.z); b = mix(a, b, share.y); n = b; }
    if (p.z > -NEAR) p = a;
    if (n.z > -NEAR) n = b;
  }
  vec4 ca = projectionMatrix * vec4(a, 1.0);
  vec4 cb = projectionMatrix * vec4(b, 1.0);
  vStart = pixel(ca);
  vEnd = pixel(cb);
  vBefore = pixel(projectionMatrix * vec4(p, 1.0));
  vAfter = pixel(projectionMatrix * vec4(n, 1.0));
  vTint = tint;
  vec2 along = vEnd - vStart;
  float reach = length(along);
  along = reach > 1.0e-3 ? along / reach : vec2(1.0, 0.0);
  float radius = uWidth * 0.5 + 1.5;
  bool atEnd = position.x > 0.5;
  vec2 at = (atEnd ? vEnd + along * radius : vStart - along * radius) + vec2(-along.y, along.x) * position.y * radius;
  vec4 clip = atEnd ? cb : ca;
  vec3 eyePoint = atEnd ? b : a;
  float scale = metresPerPixel(eyePoint, flatView);
  // As deep as what lies half a width before it: else the floor under the line would hide its lower half.
  vec3 nearer = eyePoint + vec3(0.0, 0.0, min(uWidth * scale + 0.08, flatView ? 10.0 : max(0.0, -eyePoint.z - NEAR)));
  vec4 depth = projectionMatrix * vec4(nearer, 1.0);
  gl_Position = vec4((at / uSize * 2.0 - 1.0) * clip.w, depth.z / depth.w * clip.w, clip.w);
  vMetres = metres + full * (atEnd ? share.y : share.x) + (atEnd ? 1.0 : -1.0) * radius * (reach > 1.0e-3 ? full * (share.y - share.x) / reach : 0.0);
  vHeight = atEnd ? end.z : start.z;
}
`;

export const RIBBON_FRAGMENT = /* glsl */ `
precision highp float;
uniform float uWidth;
uniform float uTime;
uniform float uCut;
uniform float uAlpha;
uniform float uHiddenAlpha;
uniform float uDone;
uniform vec3 uRim;          // sRGB
flat in vec2 vStart;
flat in vec2 vEnd;
flat in vec2 vBefore;
flat in vec2 vAfter;
flat in vec3 vTint;
flat in float vEnds;
in float vMetres;
in float vHeight;
layout(location = 0) out vec4 outColor;

float share(vec2 p, vec2 a, vec2 b) {
  vec2 d = b - a;
  return dot(p - a, d) / max(dot(d, d), 1.0e-6);
}
float away(vec2 p, vec2 a, vec2 b) { return distance(p, mix(a, b, clamp(share(p, a, b), 0.0, 1.0))); }

void main() {
  vec2 at = gl_FragCoord.xy;
  float mine = away(at, vStart, vEnd);
  float scale = length(vec2(dFdx(vMetres), dFdy(vMetres)));
  bool before = mod(vEnds, 2.0) > 0.5 && distance(vBefore, vStart) > 0.5;
  bool after = vEnds > 1.5 && distance(vAfter, vEnd) > 0.5;
  if (before && (share(at, vStart, vEnd) <= 0.0 || away(at, vBefore, vStart) <= mine)) discard;
  if (after && away(at, vEnd, vAfter) < mine) discard;
  float radius = uWidth * 0.5;
  float cover = clamp(radius + 0.5 - mine, 0.0, 1.0);
  if (cover <= 0.0) discard;
  vec3 colour = vTint;
#ifdef ARROWS
  // Arrow heads as far apart as a few widths of the line, in powers of two so that they keep still while one zooms.
  float apart = exp2(ceil(log2(max(scale, 1.0e-5) * uWidth * 3.6)));
  float lead = fract((vMetres + 1.5 * mine * scale) / apart - uTime * 0.9);
  float soft = max(scale / apart, 0.01) * 1.2;
  float head = smoothstep(0.0, soft, lead) * (1.0 - smoothstep(0.30 - soft, 0.30, lead));
  colour = mix(colour, mix(colour, vec3(1.0), 0.82), head);
#endif
  float rim = clamp(mine - (radius - max(1.0, uWidth * 0.16)) + 0.5, 0.0, 1.0);
  colour = mix(colour, uRim, rim);
  float alpha = uAlpha * cover * (vMetres < uDone ? 0.4 : 1.0);
  if (vHeight > uCut) alpha *= mix(uHiddenAlpha, 1.0, 0.25);
  outColor = vec4(colour, alpha);
}
`;
