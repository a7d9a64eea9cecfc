"""Policies by scope, and what they require."""
