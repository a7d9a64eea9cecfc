"""Render: a finished scan as text, JSON and other forms."""
