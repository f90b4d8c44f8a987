"""An Explanation made of random states: no model needed."""

import numpy as np
import torch
from PIL import Image

from tam_widget.explanation import Explanation
from tam_widget.media.videos import Video
from tam_widget.models.activations import Activations
from tam_widget.models.layout import Panel
from tam_widget.text.tokens import Candidate, Token

PROMPT = ("Where", " is", " it", "?")
ANSWER = ("A", " red", " tri", "angle", " is", " here", ".")
ROLES = ("prompt", "answer")
GRIDS = ((4, 5), (3, 3))


BREAK = object()  # between two texts of one message: a line break that is in no token


def make(*, grids=GRIDS[:1], turns=((PROMPT, ANSWER),), width=16, seed=0):
    """Explain pictures of 10 pixels a cell; a grid of three numbers makes a video, two frames a second."""
    rng = torch.Generator().manual_seed(seed)
    texts, tokens = {}, []
    strings = sorted({text for turn in turns for part in turn for text in part if text is not BREAK} | {" blue"})
    parts = [
        ((number, role), part) for number, turn in enumerate(turns) for role, part in zip(ROLES, turn, strict=True)
    ]
    for (turn, role), part in parts:
        key = (turn, role)
        texts[key] = ""
        for text in part:
            start = len(texts[key])
            texts[key] += "\n" if text is BREAK else text
            if text is BREAK:
                continue
            candidates = ()
            if role == "answer":
                candidates = (
                    Candidate(text, strings.index(text), 0.7, 1, chosen=True),
                    Candidate(" blue", strings.index(" blue"), 0.2, 2, chosen=False),
                )
            span = (start, start + len(text))
            tokens.append(Token(len(tokens), text, strings.index(text), role, turn, span, candidates))
    panels, images, start = [], [], 0
    for k, (*frames, rows, columns) in enumerate(grids):
        size = (columns * 10, rows * 10)
        for frame in range(frames[0] if frames else 1):
            positions = np.arange(start, start + rows * columns).reshape(rows, columns)
            number = frame if frames else None
            panels.append(Panel(k, "stitched", (rows, columns), (0, 0, *size), positions, frame=number))
            start += rows * columns
        shown = tuple(Image.new("RGB", size, "grey") for _ in range(frames[0] if frames else 1))
        images.append(Video(shown, tuple(frame / 2 for frame in range(len(shown)))) if frames else shown[0])
    bank = Activations(
        states=torch.randn(start + len(tokens), width, generator=rng),
        rows=torch.randn(len(strings), width, generator=rng),
        row_of={k: k for k in range(len(strings))},
        ids=[token.id for token in tokens],
        key_of={k: k for k in range(len(strings))},
        panels=tuple(panels),
        read_positions=range(start, start + len(tokens)),
    )
    return Explanation(tokens, texts, images, bank, "random")
