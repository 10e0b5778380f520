// What the three pages share: one camera path, one way to measure. A page hands over a viewer:
//   bounds() → {center, radius}, up: "z" | "y", look(eye, target), draw() now, recolour(round) → promise,
//   pick(x, y) → promise of an id or null, stats() → {drawCalls, triangles}, gl
const FOV = 42;

/** Bytes of every living WebGL buffer. */
const alive = new Map();
const { bindBuffer, bufferData, deleteBuffer } = WebGL2RenderingContext.prototype;
const bound = new Map();
Object.assign(WebGL2RenderingContext.prototype, {
  bindBuffer(target, buffer) {
    bound.set(target, buffer);
    bindBuffer.call(this, target, buffer);
  },
  bufferData(target, data, ...rest) {
    alive.set(bound.get(target), typeof data === "number" ? data : (data?.byteLength ?? 0));
    bufferData.call(this, target, data, ...rest);
  },
  deleteBuffer(buffer) {
    alive.delete(buffer);
    deleteBuffer.call(this, buffer);
  },
});

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** The eye at a share of a full turn around the building, from as far as shows all of it. */
function eyeAt(viewer, share) {
  const { center, radius } = viewer.bounds();
  const away = (radius / Math.sin((FOV / 2) * (Math.PI / 180))) * 0.8;
  const [c, s] = [Math.cos(share * 2 * Math.PI), Math.sin(share * 2 * Math.PI)];
  const out = viewer.up === "z" ? [c * 0.87, s * 0.87, 0.5] : [c * 0.87, 0.5, s * 0.87];
  return center.map((v, i) => v + out[i] * away);
}

/** Wait until the GPU has drawn what was asked for. */
function settle(gl) {
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
}

/** `window.bench`: what the benchmark calls. `visible`: ms since the navigation at which the first storey was drawn. */
export function offer(viewer, visible) {
  const turn = (share) => viewer.look(eyeAt(viewer, share), viewer.bounds().center);
  window.bench = {
    visible,
    elements: viewer.elements,
    /** ms of script per frame while the camera goes round once. */
    async frames(count) {
      const took = [];
      for (let i = 0; i < count; i++) {
        await nextFrame();
        const start = performance.now();
        turn(i / count);
        viewer.draw();
        took.push(performance.now() - start);
        if (i % 10 === 9) settle(viewer.gl); // else a software GPU falls behind and its queue is what is measured
      }
      return took;
    },
    /** ms until everything has another colour in the picture, of script alone and with waiting for workers. */
    async recolour(rounds) {
      const took = [];
      for (let round = 0; round < rounds; round++) {
        await nextFrame();
        settle(viewer.gl);
        const start = performance.now();
        await viewer.recolour(round);
        viewer.draw();
        took.push(performance.now() - start);
      }
      return took;
    },
    /** ms from the question to the answer, over positions across the middle of the picture; how many hit. */
    async picks(count) {
      turn(0);
      viewer.draw();
      await viewer.rest?.();
      const [took, ids] = [[], new Set()];
      let hits = 0;
      for (let i = 0; i < count; i++) {
        await nextFrame();
        const x = innerWidth * (0.44 + 0.12 * ((i * 0.618) % 1));
        const y = innerHeight * (0.42 + 0.16 * ((i * 0.381) % 1));
        const start = performance.now();
        const id = await viewer.pick(x, y);
        took.push(performance.now() - start);
        if (id !== null) { hits++; ids.add(id); }
      }
      return { took, hits, different: ids.size };
    },
    /** A page that draws nothing, for as many frames. */
    async idle(count) {
      for (let i = 0; i < count; i++) await nextFrame();
    },
    /** Nothing is left to be drawn: the next page does not wait for this one's pictures. */
    async settle() {
      await viewer.rest?.();
      settle(viewer.gl);
    },
    stats: () => ({ ...viewer.stats(), buffers: [...alive.values()].reduce((sum, bytes) => sum + bytes, 0) }),
  };
}

/** Ten colours of a scale, moved on with every round. */
export function colours(round) {
  return Array.from({ length: 10 }, (_, i) => [(25 * i + 40 * round) % 256, (90 + 13 * i) % 256, (200 - 17 * i + 256) % 256]);
}

export { FOV, nextFrame, settle };
