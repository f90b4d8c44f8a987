"""A notebook that shows a made-up sentence: asked for, embedded, compared, in little room, and very long."""

SETUP = """
import json
from fake_explanation import LONG, Fake
from tam_widget.widget.comparison import compare
from tam_widget.widget import TAMWidget
w = TAMWidget(Fake(), embed=False)
left, right = Fake(name='first'), Fake('A blue triangle, a circle and a large yellow circle.', name='second')
columns = compare([left, right])
"""
CELLS = (
    SETUP,
    "w",
    "TAMWidget(Fake(), embed=True)",
    "columns",
    "narrow = TAMWidget(Fake())\nnarrow.layout.width = '300px'\nnarrow",
    "TAMWidget(Fake(LONG * 40, grid=(64, 64)), embed=False)",
)
ASKING, EMBEDDED, COMPARED, NARROW, LONG = range(1, 6)


def shares(view):
    """The overlay's alpha in the middle of each cell, as a share of the opacity."""
    return view.cells() / 0.7
