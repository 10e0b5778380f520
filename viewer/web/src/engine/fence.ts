const LOOK = 16; // ms until the first look whether the GPU is done; longer and longer after that

/** Run `then` once the GPU is done with all that it was asked for so far; false where that cannot be known. */
export function whenDone(gl: WebGL2RenderingContext, then: (lost: boolean) => void): boolean {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (!fence) return false;
  gl.flush();
  const look = (wait: number): void => {
    const state = gl.clientWaitSync(fence, 0, 0);
    if (state === gl.TIMEOUT_EXPIRED) return void setTimeout(look, wait, wait * 1.2);
    gl.deleteSync(fence);
    then(state === gl.WAIT_FAILED);
  };
  setTimeout(look, LOOK, LOOK);
  return true;
}
