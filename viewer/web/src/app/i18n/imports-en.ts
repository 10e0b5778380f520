/** How far an import is. */
export const imports = {
  counted: "{{done}} of {{total}} elements", left: "about {{time}} left", seconds_one: "about a second left", seconds_other: "about {{count}} s left",
  shown_one: "One storey can be seen already", shown_other: "{{count}} storeys can be seen already", look: "See what is there",
  failed: "The last upload failed: {{file}}", cancelled: "The last upload was cancelled: {{file}}",
};
