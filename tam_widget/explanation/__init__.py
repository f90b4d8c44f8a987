"""What a user holds: an explanation, its maps, and maps over parts of a picture.

An :class:`Explanation` shows, draws and checks itself by rooms above this one (``figures``, ``widget``, ``checks``),
which it imports where it uses them: the only circle of the house, and a choice, so that one object is all that a user
needs.
"""

from tam_widget.explanation.explanation import Explanation
from tam_widget.explanation.token_maps import Maps
from tam_widget.text.tokens import Candidate, Token, Word

__all__ = ["Candidate", "Explanation", "Maps", "Token", "Word"]
