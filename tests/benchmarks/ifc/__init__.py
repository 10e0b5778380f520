"""P1 and P4: our import against the fragments importer."""
