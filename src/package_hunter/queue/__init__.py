"""Which scan runs next, and where."""
