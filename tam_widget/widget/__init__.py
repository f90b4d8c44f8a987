"""The notebook widget: hover a token, see where the model looked."""

from tam_widget.widget.widget import TAMWidget, output_widget

__all__ = ["TAMWidget", "output_widget"]
