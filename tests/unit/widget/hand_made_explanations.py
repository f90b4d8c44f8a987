"""Explanations without a model, small enough to count by hand, and their maps as the page gets them."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate, Token, Word
from tam_widget.widget import encode


class FakeExplanation:
    """Two pictures, four tokens; the second picture is seen from token 2 on."""

    def __init__(self, size=(8, 6)):
        chosen = Candidate(" star", 9, 0.75, 1, chosen=True)
        texts = [("prompt", "Go"), ("answer", "A"), ("answer", " st"), ("answer", "ar")]
        self.tokens = tuple(
            Token(i, text, i, role, 0, span, (chosen,) if role == "answer" else ())
            for i, ((role, text), span) in enumerate(zip(texts, [(0, 2), (0, 1), (1, 4), (4, 6)], strict=True))
        )
        self.texts = {(0, "prompt"): "Go", (0, "answer"): "A star"}
        self.words = tuple(Word("", self.tokens[a:b]) for a, b in ((0, 1), (1, 2), (2, 4)))
        self.images = (Image.new("RGB", size, "red"), Image.new("RGB", size, "blue"))
        self.grids = ((2, 3), (1, 4))
        self.boxes = ((0, 0, *size),) * 2
        self.asked = []

    def heatmap(self, token, candidate=None, image=0, **method):
        self.asked.append((token, candidate, image, method))
        if token >= len(self.tokens):
            raise IndexError(f"token {token} is out of range")
        rows, columns = self.grids[image]
        if token < 2 and image == 1:
            return np.full((rows, columns), np.nan, np.float32)
        if token == 0:
            return np.zeros((rows, columns), np.float32)
        scale = 1e-4 if candidate is None else 1e-2
        scale *= method.get("kernel_size", 3) / 3
        return (np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) + 10 * image) * np.float32(scale)

    def relevance(self, token, candidate=None):
        return np.linspace(0, 1, token, dtype=np.float32)

    def responses(self, box, image=0, frame=None, **method):
        self.asked.append((box, image, frame, method))
        return np.array([np.nan, 0.25, 0.5, 1], np.float32)

    def prepare(self, tokens=None, candidate=None, *, seconds=None, **method):
        return True

    def maps(self, **method):
        relevance = np.zeros((4, 4), np.float32)
        for i in range(4):
            relevance[i, :i] = self.relevance(i)
        images = tuple(np.stack([self.heatmap(i, image=k, **method) for i in range(4)]) for k in range(2))
        return SimpleNamespace(images=images, relevance=relevance)


class FakeFilm(FakeExplanation):
    """A video of three frames, 2 × 3 cells each, and then a picture of which the model saw the middle."""

    def __init__(self):
        super().__init__()
        frames = tuple(Image.new("RGB", (1200, 600), colour) for colour in ("red", "green", "blue"))
        self.images = (Video(frames, (0.0, 0.5, 1.25)), Image.new("RGB", (80, 60)))
        self.grids = ((3, 2, 3), (2, 2))
        self.boxes = ((0, 0, 1200, 600), (10, -6, 70, 66))

    def heatmap(self, token, candidate=None, image=0, **method):
        if token == 0:
            return np.full(self.grids[image], np.nan, np.float32)
        count = int(np.prod(self.grids[image]))
        return np.arange(count, dtype=np.float32).reshape(self.grids[image]) / 17 * (1 - image)


def levels(data):
    return list(np.frombuffer(data, np.uint8))


def map_of(explanation, *tokens, combine="mean"):
    return encode.encode_map(explanation, tokens, combine=combine)
