"""The gate: whether a commit may go on, why not, and who can change that."""
