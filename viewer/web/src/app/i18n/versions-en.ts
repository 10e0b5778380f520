/** Versions of a model. */
export const versions = {
  title: "What changed", sub: "{{model}}: version {{from}} → {{to}}", open: "What changed", show3d: "Show in 3D", csv: "Table (CSV)", painted: "Version {{from}} → {{to}}",
  compare: "Compare", with: "with", same: "These versions say the same", sameHint: "No element was added, removed, moved or changed.", search: "Name, tag or GlobalId", all: "All",
  tabs: { differences: "Differences", matches: "Recognised elements" },
  kind: { added: "Added", removed: "Removed", changed: "Changed", moved: "Moved", rekeyed: "New GlobalId only" },
  change: { placement: "place", shape: "shape", properties: "properties", type: "type", containment: "where it belongs", global_id: "GlobalId" },
  moved: "moved by {{metres}} m", before: "before", after: "now", more: "Show more", flyTo: "Show {{id}} in 3D", rollback: "Show version {{n}} again", rollbackTo: "Go back to this",
  rollbackSure: "Show version {{n}} again?", rollbackHint: "It becomes a new version; nothing is lost, and what is bound to elements stays. You can go forward again in the same way.",
  rollingBack: "Version {{n}} is being shown again…", rolledBack: "Version {{n}} is shown again", restored: "again v{{n}}", failed: "It could not be shown again",
  matched: "{{certain}} recognised, {{likely}} to confirm, {{lost}} lost",
  matches: {
    none: "Every GlobalId stayed", noneHint: "When a new file gives elements other GlobalIds, they are recognised here by shape, place and name.",
    likely: "To be confirmed", likelyHint: "These look like elements that are gone under their GlobalId. Confirm, and everything bound to the old one moves along.",
    lost: "Lost", lostHint: "Nothing in the new version resembles these. If you know what they are now, name it.", certain: "Recognised", certainHint: "Applied at once: same shape, place and class.",
    confirm: "Same element", reject: "Not the same", correct: "It is another one…", correctTitle: "Which element is it now?", correctHint: "Its GlobalId; only an element that is new in this version.",
    score: "{{percent}} % alike", away: "{{metres}} m away", bound: "Bound to it", old: "was", new: "is",
    reason: { position: "place", shape: "shape", tag: "tag", name: "name", type: "type", place: "storey" },
    binding: { points: "{{count}} points", assets: "asset", orders: "{{count}} orders", alarms: "{{count}} alarms", plans: "{{count}} plans", properties: "own properties" },
    state: { applied: "applied", waiting: "waits", lost: "lost", confirmed: "confirmed", rejected: "rejected", corrected: "corrected" },
    some: "The first {{count}} are shown.",
  },
};
