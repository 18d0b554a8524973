"""Files to data and back; no networks."""
