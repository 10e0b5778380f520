/** Issues (BCF topics), checks and exports. */
export const issues = {
  add: "New issue", addView: "Add this view", addComment: "Add comment", assigned: "Assigned to", by: "by {{who}}", comment: "Comment", comments: "Comments",
  count_one: "{{count}} issue", count_other: "{{count}} issues", created: "Issue {{number}} made", description: "Description", due: "Due",
  export: "Export BCF", exportAs: "BCF {{version}}", import: "Import BCF", importDone: "{{created}} new, {{updated}} updated, {{refused}} refused",
  labels: "Labels", noneHint: "Make one from the 3D view, or import a BCF file from your design tool.", none: "No issues", noneFound: "No issue matches", noneFoundHint: "Try another word or another status.", fromView: "From the 3D view", noView: "With a picture and a camera? Make it from the 3D view.",
  open: "Open issue", priority: "Priority", search: "Search", show3d: "Show in 3D", status: "Status", anyStatus: "Any status", title: "Title", titleMissing: "Say in a few words what is wrong",
  type: "Type", views: "Views", viewOf: "View {{n}}", withView: "The picture, the camera and the selected element go with it.", imported: "Imported",
  statuses: { Open: "Open", InProgress: "In progress", Solved: "Solved", Closed: "Closed" },
  priorities: { Low: "Low", Normal: "Normal", High: "High", Critical: "Critical" },
  types: { Issue: "Issue", Clash: "Clash", Remark: "Remark", Request: "Request" },
};

export const checks = {
  title: "Checks", sub: "What is wrong with a model, why it matters and how to fix it.", model: "Model", run: "Check now", runIds: "Check with IDS file…", running: "Checking…",
  none: "Not checked yet", noneHint: "Check the model against our rules, or against an IDS document of your client.", rules: "Our rules", history: "Earlier checks",
  pass: "Passed", fail: "Failed", fine: "Nothing to complain about", fix: "How to fix it:", flyTo: "Show {{id}} in 3D", more: "and {{count}} more",
  severity: { error: "Error", warning: "Warning", info: "Note" },
  colour: "Colour in 3D", painted: "{{name}}: {{passed}} pass, {{failed}} fail", of: "{{passed}} of {{applicable}} pass", element: "Element", notApplicable: "It speaks of elements that this model does not have.", none_of: "Not applicable",
  other: "written for another IFC version", requirements: "Requirements", elements_one: "{{count}} element fails", elements_other: "{{count}} elements fail", download: "Report",
  asBcf: "BCF issues", asCsv: "Table (CSV)", asHtml: "Page (HTML)", noModels: "There is no model yet", version: "version {{version}}",
  out: "Take it along", outHint: "The model with what you added, lists for facility management.", ifc: "Enriched IFC", cobie: "COBie workbook", list: "Element list", making: "Being made…", made: "{{name}} is ready",
};
