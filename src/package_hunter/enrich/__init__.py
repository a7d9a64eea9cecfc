"""Enrich: processes, descriptors, names and blame for each event."""
