"""Kinds of fake secrets: a file each, with ``make(forge)``."""
