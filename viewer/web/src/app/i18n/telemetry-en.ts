/** Trends, points, sources, history: everything about readings. */
export const telemetry = {
  trends: {
    add: "Add points", addPoint: "Draw {{name}}", chart: "chart", chartNumber: "Chart {{number}}", chartMenu: "Chart {{number}}: more", close: "Remove chart", up: "Move up", down: "Move down", copied: "Link copied", copy: "Copy link to this view",
    compare: { title: "Compare with", none: "No comparison", before: "Period before", week: "A week before", year: "Last year" },
    deviation: "Deviation", dropNew: "Drop a point here for a chart of its own", earlier: "Earlier", later: "Later",
    export: { title: "Export", csv: "Readings as CSV", parquet: "Readings as Parquet", arrow: "Readings as Arrow", png: "Picture (PNG)" },
    failed: "{{name}} could not be read. Try again", forget: "Forget {{name}}", histogram: "Spread", histogramLabel: "Histogram from {{from}} to {{to}}",
    keys: "Arrow keys move the cursor, with Shift the chart; plus and minus zoom; Home and End go to the edges; Backspace goes a step back.",
    live: "Live", liveHint: "Follows the clock; new values appear by themselves", max: "Max", mean: "Mean", median: "Median", min: "Min", moreMarks: "and {{count}} more",
    none: "What should be drawn?", noneHint: "Drag a point here from the list, or click its plus.", noneHintPhone: "Add one or several points; each unit gets an axis of its own.", noStatistics: "no statistics", nothing: "No readings in this time",
    preset: { "1h": "1 h", today: "Today", "24h": "24 h", "7d": "7 d", "30d": "30 d", "90d": "90 d", "1y": "1 y", custom: "Own range" },
    range: "Time shown", readings: "Readings", removePoint: "Take {{name}} out of the chart", said: "{{name}}: mean {{mean}}, from {{min}} to {{max}}", saidNothing: "{{name}}: no readings", save: "Save this view", saved: "View “{{name}}” saved", savedHere: "Saved views are kept in this browser; a link carries a view to others.",
    shareOn: "{{percent}} % on", shown: { title: "Show", bands: "Min and max of each step", marks: "Alarms and work orders", statistics: "Statistics", table: "Values as a table" },
    statistics: "Statistics", summary: "{{from}} to {{to}}. {{lines}}", textPoint: "Texts cannot be drawn", time: "Time", tools: "Tools of the charts", viewName: "Name of the view", views: "Saved views and link", zoomIn: "Zoom in", zoomOut: "Zoom out",
  },
  points: { title: "Points", point: "Point", search: "Search points", noneFound: "No point matches", noneFoundHint: "Try another word." },
};
