"""Alembic's migrations, inside the package: an installed server brings its own store up to date."""
