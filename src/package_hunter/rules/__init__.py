"""Match: Falco's rule language, compiled."""
