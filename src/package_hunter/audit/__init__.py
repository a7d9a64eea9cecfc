"""The history's chain: sealed, signed, verified, exported."""
