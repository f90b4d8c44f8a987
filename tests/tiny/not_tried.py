"""Kinds of model without a case of their own, and why; users may try them (:func:`tam_widget.check_family`)."""

WHY = {}
