"""Loaded rules to Python code: one function for each event type."""
