"""Harmless simulation for testing Package Hunter. Not malware."""
