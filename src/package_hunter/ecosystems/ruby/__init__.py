"""The Ruby world: bundler and gem."""
