/** The past under the model. */
export const timeline = {
  title: "Timeline", play: "Play", pause: "Pause", speed: "Speed", window: "Window", moment: "Moment", present: "Now", back: "Back to now", close: "Close the timeline", earlier: "Earlier", later: "Later", goTo: "Go to: {{what}}",
  alarms_one: "{{count}} alarm", alarms_other: "{{count}} alarms", orders_one: "{{count}} open order", orders_other: "{{count}} open orders",
  span: { h1: "1 hour", h6: "6 hours", d1: "1 day", d7: "7 days", d30: "30 days", y1: "1 year" },
};
