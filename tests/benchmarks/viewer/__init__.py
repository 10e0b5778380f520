"""The viewer (P12, P13) beside the fragments viewer and plain three.js."""
