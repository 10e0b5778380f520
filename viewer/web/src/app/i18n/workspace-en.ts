/** Search, saved things, rules, panels and commands of the 3D view. */
export const workspace = {
  saved: "Saved", by: "Arranged by", by_: { storey: "Storey and room", class: "Class", type: "Type", system: "System", zone: "Zone", space: "Room", discipline: "Discipline", model: "Model" },
  without: "None", noGroups: "Nothing in this building has one", isolate: "Show alone", hide: "Hide", fly: "Fly there", colour: "Colour", table: "Table (CSV)",
  found_one: "{{count}} element", found_other: "{{count}} elements", nothing: "Nothing was found", withResults: "With what was found", searchHint: "Words, or conditions such as these:",
  noneHint: "Another word? * stands for anything, ~ means contains.", saveSearch: "Save this search",
  save: { search: "Save this search", rules: "Save these rules", viewpoint: "Save this view" }, name: "Name", share: "Share with all who see this building", unshare: "Share no more", shared: "Shared",
  keepView: "Save view", newRules: "Colouring rules", noneSaved: "Nothing saved yet", noneSavedHint: "Keep a view to come back to, a search, or rules that colour the building.",
  kinds: { viewpoint: "Views", rules: "Colouring rules", search: "Searches" }, copyLink: "Copy link", searchWithin: "Search within it", linkCopied: "Link copied", copyRules: "Open a copy", by_who: "by {{who}}", more: "More about {{name}}",
  rules: "Colouring rules", try: "Try", label: "Words for colour {{n}}", labelHint: "What it means", query: "Query for colour {{n}}", up: "Colour {{n}} counts earlier", drop: "Remove colour {{n}}", addRule: "Add a colour",
  others: "Everything else", ghosts: "as ghosts", asTheyAre: "as it is", example: { name: "Fire rating missing", missing: "Fire rating missing", there: "Fire rating given" },
  undo: "Undo", redo: "Redo", splitter: { left: "Width of the left panel", right: "Width of the right panel", plan: "Width of the plan" },
  palette: "Commands", paletteHint: "A command, a page, an element…", noCommand: "No command or element is called that", page: "Page", command: "Command", element: "Element", view: "View", searchFor: "Search for “{{text}}”", actions: { fit: "Fit the view", all: "Show everything", plan: "Floor plan beside the model", labels: "Labels on or off", noColour: "End colouring", panel: "Left panel on or off", saveView: "Saved views and rules" },
  fact: { same: "Find all with this value", without: "Find all without {{name}}", colour: "Colour by {{name}}", group: "Arrange the tree by {{name}}", others: "Other values", properties: "Properties", anySet: "any set" },
};
