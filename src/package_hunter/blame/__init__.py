"""Blame: who did what was seen. Works on finished observations, after the box is gone."""
