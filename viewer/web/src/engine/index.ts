/** The 3D renderer: plain three.js on WebGL2, independent of React. See `Scene3D`. */
export { alongLine, lineLength, type Overlays } from "./overlays";
export { angleAt, areaOf, crossesItself, distanceOf, spans } from "./measure";
export { FACES, edgesOf, grown, middleOf, moved, outward, planesOf, sheetOf } from "./section";
export { Scene3D } from "./scene";
export type * from "./types";
