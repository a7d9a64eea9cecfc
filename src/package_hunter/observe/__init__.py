"""Observe: events in, what was seen out; live from the ring or from a recording."""
