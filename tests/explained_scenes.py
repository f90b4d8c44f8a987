"""Explained pictures for the tests of methods and faithfulness: demo scenes, and tiny models of every family."""

from functools import cache

import numpy as np
import pytest
import tiny_models
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.demo.scenery.drawing import SHAPES
from tam_widget.models import capture
from tam_widget.replay.covering import Covering
from tam_widget.replay.explained import Explained

PROMPT = "Describe the image."
ANSWER = "A small red circle is left of the star."
MINICPM = {"minicpmv4_6", "minicpmv4_7", "minicpm_ocr"}
# What their attention adds cannot be followed to the words: several streams, biases of their own, unknown gates.
NO_LENS = {"gemma3n", "glm5_next", "inkling2", "inkling_mm_model", "muse_spark", "qwen4_exp"}
# Some layer has no attention weights.
NO_ROLLOUT = {
    *("qwen3_5", "qwen3_5_moe", "lfm2_vl", "lfm3_vl", *MINICPM),
    *("glm5_next", "dots3_note", "mistral_large4", "qwen4_exp", "inkling2", "inkling_mm_model"),
}
NO_EMBEDDINGS = {"phi4_multimodal"}  # its decoder looks the words up itself
# These lay all patches of all pictures side by side or number them through, or count pictures through a batch.
ONE_BY_ONE = {*MINICPM, "molmo2", "hunyuan_vl"}


@cache
def demo_pair():
    return tam.load_demo()


@cache
def demo(seed):
    """A demo scene whose caption is right, and the explanation of it."""
    model, processor = demo_pair()
    scene = tam.demo.scene(seed)
    explained = Explained(model, processor, tam.explain(model, processor, scene.image, "Describe this image."))
    assert explained.explanation.answer == scene.caption
    return scene, explained


@cache
def of_case(case):
    model, processor = case.pair()
    picture = tiny_models.picture(*case.sizes[0], box=(5, 5, 20, 20))
    return Explained(model, processor, tam.explain(model, processor, picture, PROMPT, answer=ANSWER))


def named(*names):
    return [case for case in CASES if str(case) in names]


def state_of(model):
    """All that a method might leave changed."""
    configs = [getattr(module, "config", None) for module in model.modules()]
    return (
        [module.training for module in model.modules()],
        [weight.requires_grad for weight in model.parameters()],
        [weight.grad is None for weight in model.parameters()],
        [getattr(config, "_attn_implementation_internal", None) for config in [*configs, model.config]],
        tiny_models.hook_count(model),
    )


def cases(*names):
    """Families by their names, or all of them, as parameters."""
    return [pytest.param(case, id=str(case)) for case in (named(*names) if names else CASES)]


def inputs_of(explained):
    """What the model is given for an explained picture."""
    return capture.on_device(explained.model, explained.reading.inputs)


def shape_tokens(scene, explained):
    """The scene's shape words, one token each, and the share of each cell that the thing covers."""
    rows, columns = explained.explanation.grids[0]
    tokens, maps = [], []
    for word in explained.explanation.words:
        text = word.text.lower()
        if word.tokens[0].role == "answer" and text in SHAPES:
            mask = scene.mask(text)
            tokens.append(word.tokens[0])
            maps.append(mask.reshape(rows, mask.shape[0] // rows, columns, -1).mean(axis=(1, 3)))
    return tokens, np.array(maps)


class Additive(Covering):
    """A model for which each uncovered cell adds its weight to the log-probability of every token."""

    weights = None

    def log_probabilities(self, covered):
        covered = np.asarray(covered)
        total = np.where(covered, 0.0, self.weights).sum(axis=(1, 2)) - 20
        return np.repeat(total[:, None], len(self.explained.explanation.tokens), axis=1)


def additive(weights):
    covering = Additive(of_case(CASES[0]))
    covering.weights = np.asarray(weights, dtype=float).reshape(covering.explained.explanation.grids[0])
    return covering
