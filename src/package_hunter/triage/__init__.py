"""Findings in projects: what each one's state is, who is on it, what a policy makes of it."""
