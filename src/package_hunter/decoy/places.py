"""The gateway's files in a scan's folder."""

LOG = "network.jsonl"
NAMES = "names.tsv"
