"""Detonate: the sealed box that untrusted code runs in."""
