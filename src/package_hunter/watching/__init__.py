"""How a server is watched: figures, times of the steps of scans, traces. Never a text out of a scan."""
