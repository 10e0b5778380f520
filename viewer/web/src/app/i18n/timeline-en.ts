/** The past under the model. */
export const timeline = {
  title: "Timeline", play: "Play", pause: "Pause", speed: "Speed", window: "Window", moment: "Moment", present: "Now", back: "Back to now", close: "Close the timeline", earlier: "Earlier", later: "Later", goTo: "Go to: {{what}}",
  alarms_one: "{{count}} alarm", alarms_other: "{{count}} alarms", orders_one: "{{count}} open order", orders_other: "{{count}} open orders",
  span: { h1: "1 hour", h6: "6 hours", d1: "1 day", d7: "7 days", d30: "30 days", y1: "1 year" },
  lastDay: "The last 24 hours", ofStorey_one: "{{storey}}: {{count}} alarm", ofStorey_other: "{{storey}}: {{count}} alarms",
  state: { on: "running", off: "standing still", open: "open", closed: "closed", fault: "fault", unknown: "no value" },
  compare: "Compare two moments", compareEnd: "End comparing", comparedAs: "Compared as", split: "Side by side", difference: "Difference", earlierMoment: "Earlier moment", laterMoment: "Later moment", line: "Line between both moments", pickQuantity: "Choose what to colour by to see how it has changed.", change: "Change", changed: "Change of {{what}}",
  export: "Take along", clip: "Clip", series: "Pictures", pictures: "Pictures in the window", seconds: "{{count}} s", making: "Picture {{done}} of {{all}}", done: "Saved as {{name}}", stop: "Stop", failed: "The clip could not be made: {{reason}}", noClip: "This browser makes no clips. Take the pictures instead.", size: "{{width}} × {{height}} pixels", from: "From", to: "to",
};
