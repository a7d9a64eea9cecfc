"""Judge: alerts, canaries and decoys become findings and a verdict."""
