"""The notebook widget: hover a token, see where the model looked."""

from tam_widget.widget.widget import TAMWidget

__all__ = ["TAMWidget"]
