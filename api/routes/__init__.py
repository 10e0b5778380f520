"""One module per resource of the contract; each exports `router`."""
