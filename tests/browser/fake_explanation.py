"""An explanation without a model, for what the demo model cannot show on demand: long text, errors, slow maps."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw

from tam_widget.explanation.region import mean_over
from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate, Token
from tam_widget.text.words import group_words

SENTENCE = "There is a large yellow circle, a large blue triangle and a small yellow square."
LARGE, YELLOW, CIRCLE, BLUE, TRIANGLE, AND = 8, 9, 10, 14, 15, 17  # its tokens
WORD = "15 16"  # "triangle" has two
LONG = (
    "A child in a red coat stands beside a wooden bench and looks up at a kite that has caught in the branches of "
    "an old plane tree. "
    "Behind the bench two cyclists wait at the crossing; one of them points at the kite and laughs.\n\n"
    "The light comes from the left, low and warm, so it is late afternoon. "
)


# Much as a byte-level BPE cuts: a leading space belongs to the word, long words are cut.
TOKEN = re.compile(r"\n+| ?[^\W_]{1,6}|[^\W_]{1,6}|\s|[^\w\s]|_")


class Fake:
    """The parts of an Explanation that the widget reads.

    ``turns`` are pairs of a question and an answer, a question a text or several. ``frames`` makes a video of the first
    picture. ``spot`` puts all of every map into one cell. ``later`` shows the last picture to the last turn only.
    Maps differ by method: without causal inference there is a haze, a larger window gives a wider blob, a part of the
    method is in logits.
    """

    def __init__(
        self,
        answer=SENTENCE,
        prompt="Describe the image.",
        *,
        turns=None,
        pictures=1,
        frames=0,
        sizes=(),
        shapes=True,
        grid=(16, 16),
        box=None,
        spot=None,
        delay=0.0,
        error=None,
        unseen=False,
        later=False,
        name="fake",
    ):
        self.model_name = name
        self.delay, self.error = delay, error
        self.spot, self.unseen, self.later = spot, unseen, later
        self.texts, pieces = read(turns or [(prompt, answer)])
        self.tokens = tuple(token(i, *piece) for i, piece in enumerate(pieces))
        self.words = group_words(self.tokens, self.texts)
        self.images = tuple(picture(*sizes[k : k + 1], shapes=shapes) for k in range(pictures))
        self.grids = (grid,) * pictures
        if frames:
            self.images = (film(self.images[0], frames), *self.images[1:])
            self.grids = ((frames, *grid), *self.grids[1:])
        self.boxes = tuple(box or (0, 0, one.width, one.height) for one in self.images)
        self.answer = answer

    def heatmap(
        self, token, candidate=None, image=0, view="stitched", *, causal_inference=True, kernel_size=3, part="map"
    ):
        assert view == "stitched"
        if self.error:
            raise self.error
        time.sleep(self.delay)
        *frames, rows, columns = self.grids[image]
        one = self.tokens[token]
        if self.later and image == len(self.images) - 1 and one.turn < self.tokens[-1].turn:
            return np.full(self.grids[image], np.nan, np.float32)
        if not one.text.strip(" .,\n"):
            return np.zeros(self.grids[image], np.float32)
        y0, x0 = np.random.default_rng([token, image, candidate or 0]).uniform(0.15, 0.85, 2)
        wide = 0.09 + 0.01 * kernel_size
        y, x = (np.mgrid[:rows, :columns] + 0.5) / np.array([rows, columns])[:, None, None]
        found = 0.8 * np.exp(-(((y - y0) / wide) ** 2 + ((x - x0) / wide) ** 2) / 2)
        found[found < 0.02] = 0
        if not causal_inference:
            found = np.maximum(found, 0.2)
        if part != "map":
            found *= 10 if part == "raw" else 3
        if self.spot:
            found[:] = 0
            found[self.spot] = 0.8
        if self.unseen:
            found[: rows // 4] = np.nan
        if frames:  # strongest in the frame that the token's number says
            away = np.abs(np.arange(frames[0]) - token % frames[0])
            found = found * np.maximum(1 - 0.4 * away, 0)[:, None, None]
        return found.astype(np.float32)

    def relevance(self, token, candidate=None):
        if self.error:
            raise self.error
        return (np.random.default_rng(token).random(token) ** 3).astype(np.float32)

    def prepare(self, tokens=None, candidate=None, *, seconds=None, **method):
        return True

    def maps(self, **method):
        count = range(len(self.tokens))
        relevance = np.zeros((len(count), len(count)), np.float32)
        for i in count:
            relevance[i, :i] = self.relevance(i)
        images = [np.stack([self.heatmap(i, image=k, **method) for i in count]) for k in range(len(self.images))]
        return SimpleNamespace(images=tuple(images), relevance=relevance)

    def responses(self, box, image=0, frame=None, **method):
        maps = self.maps(**method).images[image]
        return mean_over(maps if frame is None else maps[:, frame], self.boxes[image], box)


def read(turns):
    """Return the texts by turn and role, and of each token its role, turn, text and span."""
    texts, pieces = {}, []
    for turn, (question, answer) in enumerate(turns):
        for role, parts in (("prompt", [question] if isinstance(question, str) else question), ("answer", [answer])):
            text = texts[turn, role] = "\n".join(parts)
            start = 0
            for part in parts:
                for match in TOKEN.finditer(part):
                    span = (start + match.start(), start + match.end())
                    pieces.append((role, turn, match.group(), span))
                start += len(part) + 1
            assert start == len(text) + 1
    return texts, pieces


def token(index, role, turn, text, span):
    if role == "prompt":
        return Token(index, text, index, role, turn, span)
    rng = np.random.default_rng(index)
    probabilities = np.sort(rng.dirichlet(np.geomspace(4, 0.05, 5)))[::-1]
    others = (" star", " cross", " dot", " line")
    candidates = tuple(
        Candidate(text if k == 0 else others[k - 1], k, float(p), k + 1, chosen=k == 0)
        for k, p in enumerate(probabilities)
    )
    return Token(index, text, index, role, turn, span, candidates)


def picture(size=(448, 448), *, shapes=True):
    """Three shapes on a noisy ground, or the ground alone."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.normal((84, 82, 88), 5, (*size[::-1], 3)).clip(0, 255).astype(np.uint8))
    if not shapes:
        return image
    draw = ImageDraw.Draw(image)
    draw.ellipse((26, 12, 138, 124), fill=(172, 158, 34))
    draw.polygon([(268, 4), (144, 152), (340, 182)], fill=(30, 52, 148))
    draw.polygon([(296, 246), (382, 254), (374, 340), (288, 332)], fill=(170, 168, 30))
    return image


def film(first, frames):
    """A ball that rolls over a picture, two frames a second."""
    images = []
    for number in range(frames):
        images.append(first.copy())
        x = first.width * (number + 0.5) / frames
        ImageDraw.Draw(images[-1]).circle((x, 0.8 * first.height), 0.08 * first.height, fill=(190, 60, 50))
    return Video(tuple(images), tuple(number / 2 for number in range(frames)))
