"""Explained pictures for the tests of methods and faithfulness: demo scenes, and tiny models of every family."""

from functools import cache

import pytest
import tiny_models
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.evaluation.explained import Explained
from tam_widget.models import capture

PROMPT = "Describe the image."
ANSWER = "A small red circle is left of the star."
NO_ROLLOUT = {"qwen3_5", "lfm2_vl"}  # a layer of them has no attention weights


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
