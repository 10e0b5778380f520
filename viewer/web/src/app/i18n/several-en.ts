/** Several chosen elements, panels that are moved, and what an element was before. */
export const several = {
  title: "Selected elements", count_one: "{{count}} selected", count_other: "{{count}} selected", adding: "Every click adds or takes away", addingNote: "Tap elements to add or take away", done: "Done",
  all: "With all of them", ghost: "Make ghosts", save: "Save as a set", onlyThese: "Only these", onlyThis: "This one alone", out: "Take out {{name}}",
  facts: "In common", storey: "Storey", varied_one: "{{count}} value", varied_other: "{{count}} different values", none: "none", more: "and {{count}} more", also: "Add to the selection",
  unknown_one: "{{count}} of them is not known here any more", unknown_other: "{{count}} of them are not known here any more",
  panels: { building: "Building", inspector: "Details", plan: "Plan", alarms: "Alarms", trend: "Charts" },
  sides: { left: "On the left", right: "On the right", bottom: "Below", beside: "Beside the model" }, move: "Move {{name}} to…", close: "Close {{name}}", open: "Open {{name}} below", reset: "Panels as they were at first",
  openAlarms: "Open the alarms below the model", openTrend: "Open charts of the selection below the model", noAlarms: "No open alarms", noTrend: "Nothing to draw", noTrendHint: "Select something that is measured, or drag points here from the tree, a search or the details.", splitterBottom: "Height of the panel below",
  history: "History", versions: "Model versions", audit: "Who changed something", since: "In the model since version {{n}}", until: "Not in the model since version {{n}}", changedIn: "Version {{n}}",
  noAudit: "Nobody has changed anything here", kinds: {
    part: { from: "Parts", to: "Part of" }, whole: { from: "Parts", to: "Part of" }, fills: { from: "Fills", to: "Filled by" }, voids: { from: "Cut out of", to: "Openings" }, connects: { from: "Connected to", to: "Connected to" },
    path: { from: "Joins", to: "Joins" }, feeds: { from: "Feeds", to: "Fed by" }, covers: { from: "Covers", to: "Covered by" }, controls: { from: "Controls", to: "Controlled by" }, bounds: { from: "Bounds", to: "Bounded by" },
    assigned_to: { from: "Assigned to", to: "Assigned here" }, references: { from: "Also has", to: "Also belongs to" },
  }, documents: "Documents", gone: "removed", showAll: "All {{count}}",
  toChart: "Add to chart", showDrawn: "Select in the model what is drawn", draw: "Draw {{name}}", keepChart: "Keep this chart", dropHere: "Drop points here for a chart", inTrends: "Open in Trends", noCharts: "Remove all charts", range: "Time shown", notMeasured: "Nothing of it is measured",
  onlySome: "{{count}} of {{all}} points drawn: one chart holds no more", chartsFull: "There is no more room: {{charts}} charts with {{lines}} lines each",
};
