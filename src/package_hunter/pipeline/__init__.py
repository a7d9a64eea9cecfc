"""The journey of one scan: receive, plan, detonate, observe, judge, report. Start reading in journey.py."""

from package_hunter.pipeline.journey import scan_archive, scan_purl, scan_target
from package_hunter.pipeline.options import ScanOptions

__all__ = ["ScanOptions", "scan_archive", "scan_purl", "scan_target"]
