"""Registry requests passed on read-only, for what the dependency tree asks for."""
