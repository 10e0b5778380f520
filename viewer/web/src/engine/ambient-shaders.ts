/** GLSL of ambient.ts. Positions are the camera's: x right, y up, z towards the eye, m. */

const COMMON = /* glsl */ `
precision highp float;
uniform sampler2D uDepth;
uniform mat4 uFrom;        // from clip space
uniform vec2 uTexel;
in vec2 vUv;
layout(location = 0) out vec4 outColor;
vec3 at(vec2 uv) {
  vec4 p = uFrom * vec4(vec3(uv, texture(uDepth, uv).r) * 2.0 - 1.0, 1.0);
  return p.xyz / p.w;
}
`;

export const AMBIENT_FRAGMENT = /* glsl */ `${COMMON}
uniform float uRadius;     // m within which things darken each other
uniform float uReach;      // heights of the picture per metre, at a distance of 1 m
uniform float uAspect;
uniform float uOrtho;
const int SAMPLES = 20;
// Interleaved gradient noise: neighbours differ as much as they can, and blurring 4 × 4 of them evens it out.
float noise(vec2 p) { return fract(52.9829189 * fract(dot(p, vec2(0.06711056, 0.00583715)))); }
void main() {
  outColor = vec4(1.0);
  if (texture(uDepth, vUv).r >= 1.0) return;
  vec3 p = at(vUv);
  vec3 l = at(vUv - vec2(uTexel.x, 0.0)), r = at(vUv + vec2(uTexel.x, 0.0));
  vec3 b = at(vUv - vec2(0.0, uTexel.y)), t = at(vUv + vec2(0.0, uTexel.y));
  // Of both sides the one that lies on the same surface.
  vec3 dx = abs(r.z - p.z) < abs(p.z - l.z) ? r - p : p - l;
  vec3 dy = abs(t.z - p.z) < abs(p.z - b.z) ? t - p : p - b;
  vec3 n = normalize(cross(dx, dy));
  float away = uOrtho > 0.5 ? 1.0 : max(-p.z, 0.05);
  float reach = min(uRadius * uReach / away, 0.14);
  if (reach < 1.5 * uTexel.y) return;
  float radius = reach * away / uReach;
  float bias = 0.012 * radius + 0.0006 * away;
  float turn = noise(gl_FragCoord.xy) * 6.2831853;
  float sum = 0.0;
  for (int i = 0; i < SAMPLES; i++) {
    float share = (float(i) + 0.5) / float(SAMPLES);
    float angle = float(i) * 2.3999632 + turn;
    vec3 v = at(vUv + vec2(cos(angle) / uAspect, sin(angle)) * reach * share) - p;
    float square = dot(v, v);
    float fall = max(0.0, 1.0 - square / (radius * radius));
    sum += fall * max(0.0, dot(v, n) - bias) * inversesqrt(square + 1.0e-6);
  }
  outColor = vec4(vec3(clamp(1.0 - 2.0 * sum / float(SAMPLES), 0.0, 1.0)), 1.0);
}
`;

export const AMBIENT_BLUR_FRAGMENT = /* glsl */ `${COMMON}
uniform sampler2D uSource;
uniform vec2 uDirection;
uniform float uRadius;
void main() {
  float z = at(vUv).z;
  float sum = 0.0;
  float weight = 0.0;
  for (int i = -3; i <= 3; i++) {
    vec2 uv = vUv + uDirection * float(i);
    // Only what lies on the same surface: no dark halo around what stands in front.
    float w = exp(-float(i * i) / 6.0) * step(abs(at(uv).z - z), 0.25 * uRadius);
    sum += w * texture(uSource, uv).r;
    weight += w;
  }
  outColor = vec4(vec3(weight > 0.0 ? sum / weight : 1.0), 1.0);
}
`;

export const AMBIENT_OVER_FRAGMENT = /* glsl */ `
precision highp float;
uniform sampler2D uSource;
uniform float uStrength;
in vec2 vUv;
layout(location = 0) out vec4 outColor;
void main() { outColor = vec4(vec3(mix(1.0, texture(uSource, vUv).r, uStrength)), 1.0); }
`;
