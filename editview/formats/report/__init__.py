"""Reports: what a run, two runs or a comparison of two checkpoints found, as one file, HTML or PDF."""

from editview.formats.report.comparison import write_comparison
from editview.formats.report.page import ENDINGS, write_report, write_side_by_side

__all__ = ["ENDINGS", "write_comparison", "write_report", "write_side_by_side"]
