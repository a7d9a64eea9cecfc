"""Measurements of the budgets in docs/architecture.md: `make bench`. They print; they assert nothing."""
