"""Record: scans, accounts and reports in a database."""
