"""How the demo model was made: ``python -m tam_widget.demo.training`` trains it again from a seed."""
