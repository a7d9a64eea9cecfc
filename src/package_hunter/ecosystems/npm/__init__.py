"""The npm world: npm and yarn classic."""
