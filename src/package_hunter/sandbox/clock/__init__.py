"""Hurried time: a library in every program of a box, and the file that tells it how fast time passes."""
