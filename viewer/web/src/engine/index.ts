/** The 3D renderer: plain three.js on WebGL2, independent of React. See `Scene3D`. */
export { alongLine, lineLength, type Overlays } from "./overlays";
export { Scene3D } from "./scene";
export type * from "./types";
