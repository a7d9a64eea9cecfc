"""Package Hunter: run dependencies in a sealed box, watch every system call, tell which package did what."""

__version__ = "0.1.0"
