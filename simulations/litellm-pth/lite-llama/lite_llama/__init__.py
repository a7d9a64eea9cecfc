"""Harmless simulation for testing Package Hunter. Not malware."""

def complete(text):
    return text
