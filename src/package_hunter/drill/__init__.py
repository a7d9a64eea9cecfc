"""Standing drills."""
