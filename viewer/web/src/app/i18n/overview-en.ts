/** The owner's page. */
export const overview = {
  allBuildings: "All buildings", print: "Print", asOf: "As of {{when}}", size: "{{spaces}} rooms · {{elements}} elements · {{area}} m²", points: "{{online}} of {{all}} sensors and meters report in time", pointsNone: "No sensor or meter yet",
  where: "In the building: {{places}}", whereNone: "Nothing to mark in the building",
  safety: {
    title: "Safety", fireNow: "Fire alarm", safe: "All safe", attention_one: "{{count}} alarm", attention_other: "{{count}} alarms", liftOut_one: "{{count}} lift out of order", liftOut_other: "{{count}} lifts out of order", unknown: "Not watched",
    alarms: "Alarms", alarmsNone: "None open", alarmsOpen_one: "{{count}} open", alarmsOpen_other: "{{count}} open", unacked_one: "{{count}} not acknowledged", unacked_other: "{{count}} not acknowledged",
    fire: "Fire system", fireOk: "No fire; {{speaking}} of {{points}} detectors report", fireAlarm_one: "{{count}} detector says fire", fireAlarm_other: "{{count}} detectors say fire",
    fireSilent: "{{devices}} detectors in the model, none connected", fireNone: "The model has no fire detectors",
    lifts: "Lifts", liftsOk_one: "{{count}} lift in order", liftsOk_other: "All {{count}} lifts in order", liftFault: "Out of order: {{names}}", liftSilent: "No signal: {{names}}", liftUnwatched_one: "{{count}} lift, not connected", liftUnwatched_other: "{{count}} lifts, not connected", liftNone: "The model has no lifts",
  },
  comfort: { title: "Comfort", value: "of the rooms are comfortable", note: "{{comfortable}} of {{rooms}} rooms between {{low}} and {{high}} °C", mean: "Average {{mean}} °C", none: "No room reports its temperature yet" },
  use: {
    electricity: "Electricity", heat: "Heat", water: "Water", gas: "Gas", thisMonth: "this month so far", more: "{{percent}} more than last year", less: "{{percent}} less than last year", same: "As much as last year", noLast: "No data for last year", noData: "No reading this month",
    since: "Counted since {{when}}", quota: "Quota {{quota}}", used: "{{percent}} of the month's quota used", expected: "At this rate {{amount}} by the end of the month", within: "Within quota", near: "Close to quota", over: "Over quota", heading: "Likely to exceed the quota",
    year: "This year {{amount}}", yearQuota: "{{percent}} of the year's quota", noQuota: "No quota set", months: "Month by month", thisYear: "Last 12 months", lastYear: "A year before",
    from: { supply: "Measured at the building's supply", meters_one: "{{count}} meter", meters_other: "Sum of {{count}} meters" }, power: "{{power}} kW now", storeys: "Darker storeys use more",
    month: "{{month}}: {{amount}}; a year before: {{before}}", none: "No energy or water meter yet", noneHint: "Points of the Brick classes Energy_Sensor and Water_Usage_Sensor count here, as do energy, water and gas meters of the model.",
  },
  orders: {
    title: "Repairs and satisfaction", open_one: "open order", open_other: "open orders", overdue_one: "{{count}} overdue", overdue_other: "{{count}} overdue", none: "Nothing to repair", inTime: "{{percent}} done in time in 90 days", verified_one: "{{count}} finished in 30 days", verified_other: "{{count}} finished in 30 days",
    stars_one: "{{stars}} of 5 stars from {{count}} opinion", stars_other: "{{stars}} of 5 stars from {{count}} opinions",
  },
  works: { title: "Next works", none: "Nothing due in the next two weeks", value_one: "job in the next two weeks", value_other: "jobs in the next two weeks", planned: "Planned", overdue: "Overdue" },
  quota: {
    button: "Quotas", title: "Quotas of energy and water", medium: "What", year: "Year", fill: "Take what last year used", sum: "Whole year: {{sum}}", save: "Save", saved: "Quotas saved", hint: "Leave a month empty for no quota. A year without its own keeps those of the year before.",
  },
  rate: { title: "How satisfied are you?", label: "Stars", comment: "What was good, what was not?", send: "Send", thanks: "Thank you", mine: "Your opinion", none: "No opinion yet", star_one: "{{count}} star", star_other: "{{count}} stars" },
  list: { title: "All buildings", sub_one: "{{count}} building at a glance", sub_other: "{{count}} buildings at a glance", open: "Open {{building}}", more: "Show more", energy: "Electricity", water: "Water" },
};
