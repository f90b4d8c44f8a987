"""The recipes of the demo models: everything that decides what a run comes to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tam_widget.demo.training.curriculum import Curriculum
from tam_widget.demo.training.grounding import GroundingName
from tam_widget.demo.training.kept_scenes import KeptScenes
from tam_widget.demo.training.losses import Weights
from tam_widget.demo.training.rates import falling_rate


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run comes to.

    Attributes
    ----------
    family : str
        Which family of models.
    start : str
        The demo model whose weights the run starts from; random ones where it is empty.
    seed : int
    steps, settling : int
        All steps, and how many of them the run settles at the end.
    batch_size : int
        Single pictures in a batch.
    learning_rate, weight_decay, warm_up : float, float, int
    curriculum : Curriculum or KeptScenes
        What is shown.
    grounding : {"words", "things", "captions"}
        What the presence loss asks for: words that are true of the shapes, or of the things, in the picture, or all
        tokens of its caption.
    pool : int
        How many cells speak for the presence of a word. With few the word has to be somewhere and may be nowhere else;
        with many it spreads over all that goes with it.
    weights : Weights
        How much each loss counts.

    Notes
    -----
    A run learns, on a learning rate that falls from its height to almost nothing, and then settles: for the last steps
    it starts again from a quarter of that height, with the matting loss, which evens the maps and draws their edges.
    """

    family: str = "qwen"
    start: str = ""
    seed: int = 0
    steps: int = 13000
    settling: int = 700
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: int = 100
    curriculum: Curriculum | KeptScenes = field(default_factory=Curriculum)
    grounding: GroundingName = "words"
    pool: int = 4
    weights: Weights = field(default_factory=Weights)

    @property
    def learning(self) -> int:
        """Steps before the run settles."""
        return self.steps - self.settling

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a short rise and half a cosine, in each of the two parts."""
        settles = step >= self.learning
        height = self.learning_rate / 4 if settles else self.learning_rate
        place, length = (step - self.learning, self.settling) if settles else (step, self.learning)
        return falling_rate(height, place, length, self.warm_up)

    def weights_at(self, step: int) -> Weights:
        """Return the weights of the losses at a step."""
        return self.weights if step >= self.learning else replace(self.weights, matting=0.0)


RECIPES = {
    "qwen": Recipe(),
    "llava": Recipe(
        family="llava",
        steps=10000,
        curriculum=Curriculum(
            shares=(("objects", 0.55), ("count", 0.15), ("text", 0.16), ("overlap", 0.14)), resizes=False, small=0.0
        ),
    ),
    "things": Recipe(
        family="lite",
        steps=8000,
        settling=0,
        batch_size=8,
        learning_rate=1.5e-3,
        curriculum=KeptScenes(),
        grounding="things",
        # A picture has a few of three hundred words, not of forty: what is there shall count for as much and more.
        weights=Weights(presence=10.0, affinity=8.0, flatness=3.0, matting=0),
    ),
    "noisy": Recipe(
        start="qwen",
        steps=200,
        settling=0,
        learning_rate=5e-4,
        batch_size=8,
        warm_up=20,
        curriculum=Curriculum(shares=(("objects", 0.5), ("overlap", 0.5)), small=0.0, resizes=False, side=336),
        grounding="captions",
        pool=24 * 24,  # every cell
        weights=Weights(sparsity=0, affinity=0, flatness=0, matting=0, quiet=0),
    ),
}
"""By the name that :func:`tam_widget.load_demo` takes."""
