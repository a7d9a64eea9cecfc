"""Observe: kernel events, live from the probe or from a recording."""
