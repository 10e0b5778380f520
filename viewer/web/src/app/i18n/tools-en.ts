/** Measuring, sections, walking. */
export const tools = {
  title: "Measure, cut, walk", measure: "Measure", section: "Cut open", look: "Look", end: "End the tool", close: "Close the area", remove: "Remove", removeAll: "Remove all", nothing: "Nothing to measure",
  what: { distance: "Distance", clear: "Clear distance", angle: "Angle", area: "Area" },
  box: "Box around the building", boxStorey: "Box around the storey", boxSelected: "Box around the selected one", boxOn: "Section box: drag its handles", plane: "Plane along a face", planeOn: "Section plane: drag its handle", flip: "Other side", noSection: "End the section",
  walk: "Walk", apart: "Storeys apart", apartOn: "Storeys apart", orthographic: "Without perspective", link: "Copy a link to this view", linkCopied: "The link to this view is in the clipboard",
  parts: "{{level}} level, {{height}} upright", perimeter: "{{length}} around", notFlat: "The points do not lie in one plane", crosses: "The outline crosses itself",
  hint: {
    distance: "Click where to measure from", distanceEnd: "Click where to measure to", clear: "Click a face: measured straight on to what is across", angle: "Click a point on one side", angleMiddle: "Click the corner", angleEnd: "Click a point on the other side",
    area: "Click the corners; the first one again closes the area", plane: "Click the face to cut along", walk: "Click the floor where you want to stand", walking: "Walk with W A S D or the arrows, look by dragging, click to go there, Shift is faster",
  },
  face: { west: "West face", east: "East face", south: "South face", north: "North face", bottom: "Lower face", top: "Upper face", plane: "Section plane" },
  through: "Fly through the storeys",
  picture: {
    title: "Picture", memory: "Memory for the model", memoryAuto: "As the device allows", size: "{{count}} MB", elsewhere: "on no storey", others_one: "one other storey", others_other: "{{count}} other storeys", close: "Close", retry: "Try again",
    ambient: { auto: "Shade corners: as the device allows", on: "Shade corners", off: "Do not shade corners" },
    failed_one: "One part of the model could not be loaded:", failed_other: "{{count}} parts of the model could not be loaded:",
    leftOut_one: "There is no memory for one element:", leftOut_other: "There is no memory for {{elements}} elements:", leftOutHint: "Come closer or show fewer storeys or layers, and they are loaded.", more: "Allow {{size}}",
    lost: "The graphics card is being reset; the picture comes back by itself.",
  },
  go: { forward: "Forward", back: "Back", left: "Turn left", right: "Turn right" },
};
