"""Remote mode: hand a project to a server, wait, and get the report, as an unprivileged CI job does."""
