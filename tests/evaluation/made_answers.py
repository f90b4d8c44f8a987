"""An answer with maps, without a model: all that scoring reads of an explanation; and trips between processes."""

import pickle
from types import SimpleNamespace

import numpy as np
from PIL import Image

from tam_widget.text.tokens import Token
from tam_widget.text.words import group_words


def explained(pieces, *, prompt=("What", " is", " it", "?"), size=(80, 60), grid=(6, 8), box=None):
    """An answer of these tokens to a prompt about a picture of this width and height."""
    texts = {(0, "prompt"): "".join(prompt), (0, "answer"): "".join(pieces)}
    tokens = []
    for role, parts in (("prompt", prompt), ("answer", pieces)):
        end = 0
        for text in parts:
            tokens.append(Token(len(tokens), text, len(tokens), role, 0, (end, end + len(text))))
            end += len(text)
    return SimpleNamespace(
        tokens=tuple(tokens),
        words=group_words(tokens, texts),
        answer=texts[0, "answer"],
        images=(Image.new("RGB", size),),
        grids=(grid,),
        boxes=(box or (0.0, 0.0, float(size[0]), float(size[1])),),
    )


def maps_of(ex, known):
    """Maps that are zero, but for those of the tokens whose text is given."""
    maps = np.zeros((len(ex.tokens), *ex.grids[0]), np.float32)
    for token in ex.tokens:
        if token.role == "answer" and token.text in known:
            maps[token.index] = known[token.text]
    return maps


def travelled(thing):
    """What another process gets."""
    return pickle.loads(pickle.dumps(thing))  # noqa: S301
