"""Makes the samples importable."""
