"""Reports: what a run, two orders of it or a comparison of two checkpoints found, as one HTML file."""

from editview.formats.report.comparison import write_comparison
from editview.formats.report.page import SUFFIX, write_report

__all__ = ["SUFFIX", "write_comparison", "write_report"]
