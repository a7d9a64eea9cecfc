"""Ecosystems: npm's, PyPI's, RubyGems'. One folder each, which holds all that this program knows of it.

``known`` is the one list of them, ``interface`` what a folder gives, ``laying`` makes plans of a project; a scan has
that done in a child without rights (``planner``). How to add one: docs/ecosystems.md.
"""
