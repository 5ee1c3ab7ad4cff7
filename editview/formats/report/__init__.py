"""Reports: what a run found, or two orders of it, as one HTML file that needs nothing but itself."""

from editview.formats.report.page import SUFFIX, write_report

__all__ = ["SUFFIX", "write_report"]
