"""What projects hold: components out of scans, lock files and SBOMs, what was seen of them, who must be told later."""
