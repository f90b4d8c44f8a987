"""A run as tables, plots and sentences, with how sure each figure is."""

from tam_widget.evaluation.report.writing import markdown_report, plausibility_table, report_section, write_report

__all__ = ["markdown_report", "plausibility_table", "report_section", "write_report"]
