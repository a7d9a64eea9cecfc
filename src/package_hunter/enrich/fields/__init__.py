"""Values of Falco's fields, taken from an enriched event."""
