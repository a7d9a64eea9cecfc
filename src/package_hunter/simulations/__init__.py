"""Harmless copies of documented attacks, with which an installation proves itself."""
