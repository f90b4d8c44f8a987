"""An explanation without a model, for what the demo model cannot show on demand: long text, errors, slow maps."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw

from tam_widget.tokens import Candidate, Token
from tam_widget.words import group_words

SENTENCE = "There is a large yellow circle, a large blue triangle and a small yellow square."
LONG = (
    "A child in a red coat stands beside a wooden bench and looks up at a kite that has caught in the branches of "
    "an old plane tree. "
    "Behind the bench two cyclists wait at the crossing; one of them points at the kite and laughs.\n\n"
    "The light comes from the left, low and warm, so it is late afternoon. "
)


# Much as a byte-level BPE cuts: a leading space belongs to the word, long words are cut.
TOKEN = re.compile(r"\n+| ?[^\W_]{1,6}|[^\W_]{1,6}|\s|[^\w\s]|_")


class Fake:
    """The parts of an Explanation that the widget reads."""

    def __init__(
        self,
        answer=SENTENCE,
        prompt="Describe the image.",
        *,
        pictures=1,
        grid=(16, 16),
        delay=0.0,
        error=None,
        unseen=False,
    ):
        self.delay, self.error = delay, error
        texts = {(0, "prompt"): prompt, (0, "answer"): answer}
        pieces = [(role, match) for (_, role), text in texts.items() for match in TOKEN.finditer(text)]
        self.tokens = tuple(token(i, role, match.group(), match.span()) for i, (role, match) in enumerate(pieces))
        self.words = group_words(self.tokens, texts)
        self.images = tuple(picture() for _ in range(pictures))
        self.grids = (grid,) * pictures
        self.answer = answer
        self.unseen = unseen

    def heatmap(self, token, candidate=None, image=0):
        if self.error:
            raise self.error
        time.sleep(self.delay)
        rows, columns = self.grids[image]
        text = self.tokens[token].text
        if not text.strip(" .,\n"):
            return np.zeros((rows, columns), np.float32)
        y0, x0 = np.random.default_rng([token, image, candidate or 0]).uniform(0.15, 0.85, 2)
        y, x = (np.mgrid[:rows, :columns] + 0.5) / np.array([rows, columns])[:, None, None]
        found = 0.8 * np.exp(-(((y - y0) / 0.12) ** 2 + ((x - x0) / 0.12) ** 2) / 2)
        found[found < 0.02] = 0
        if self.unseen:
            found[: rows // 4] = np.nan
        return found.astype(np.float32)

    def relevance(self, token, candidate=None):
        if self.error:
            raise self.error
        return (np.random.default_rng(token).random(token) ** 3).astype(np.float32)

    def maps(self):
        count = range(len(self.tokens))
        relevance = np.zeros((len(count), len(count)), np.float32)
        for i in count:
            relevance[i, :i] = self.relevance(i)
        images = [np.stack([self.heatmap(i, image=k) for i in count]) for k in range(len(self.images))]
        return SimpleNamespace(images=tuple(images), relevance=relevance)


def token(index, role, text, span):
    if role == "prompt":
        return Token(index, text, index, role, 0, span)
    rng = np.random.default_rng(index)
    probabilities = np.sort(rng.dirichlet(np.geomspace(4, 0.05, 5)))[::-1]
    others = (" star", " cross", " dot", " line")
    candidates = tuple(
        Candidate(text if k == 0 else others[k - 1], k, float(p), k + 1, chosen=k == 0)
        for k, p in enumerate(probabilities)
    )
    return Token(index, text, index, role, 0, span, candidates)


def picture():
    """Three shapes on a noisy ground."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.normal((84, 82, 88), 5, (448, 448, 3)).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((26, 12, 138, 124), fill=(172, 158, 34))
    draw.polygon([(268, 4), (144, 152), (340, 182)], fill=(30, 52, 148))
    draw.polygon([(296, 246), (382, 254), (374, 340), (288, 332)], fill=(170, 168, 30))
    return image
