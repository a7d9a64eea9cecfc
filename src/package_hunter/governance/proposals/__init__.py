"""Changes that need two people: proposed, looked at with their impact, approved by somebody else, applied."""
