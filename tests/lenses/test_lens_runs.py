"""Contributions are the same in every way of running a model, whatever its cache and its attention do."""

import numpy as np
import pytest
import tiny_models
import torch
from explained_scenes import ANSWER, PROMPT, named

import tam_widget as tam
from tam_widget.replay.explained import Explained

PICTURE = tiny_models.picture(64, 48, box=(5, 5, 20, 20))
ALL = ("tam", "contribution", "attention", "attention_mean")


def pair(name):
    return named(name)[0].pair()


def kept(ex, lens="contribution"):
    """What a run kept, by token and class."""
    assert lens in ex.lenses, ex._readings
    found = ex._readings[lens]
    return {key: found.values[row] for key, row in found.row_of.items()}


def assert_same(found, expected, tolerance=1e-4):
    assert found.keys() == expected.keys()
    largest = max(np.nanmax(np.abs(values)) for values in expected.values())
    assert largest > 0
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, atol=tolerance * largest)


def again(model, processor, ex):
    """The same answer's contributions, read in one pass."""
    explained = Explained(model, processor, ex)
    readings = explained.lenses._readings["contribution"]
    return {key: readings.values[row] for key, row in readings.row_of.items()}


def saying(processor, text):
    """Options with which any model says a text; what it says of its own may hold control tokens, which are not kept."""
    ids = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    begun = []

    def force(said, scores):
        begun.append(said.shape[1])
        step = said.shape[1] - begun[0]
        scores[:] = -torch.inf
        scores[:, ids[step] if step < len(ids) else processor.tokenizer.eos_token_id] = 0
        return scores

    return {"max_new_tokens": 40, "logits_processor": [force]}


WAYS = {
    "as usual": {},
    "static": {"cache_implementation": "static"},
    "in chunks": {"prefill_chunk_size": 17},
    "without a cache": {"use_cache": False},
    "beams": {"num_beams": 2},
}
NOT_THEIRS = {  # transformers fails here, or splits a picture whose tokens see each other
    ("llama4", "in chunks"),
    ("llama4", "beams"),
    ("gemma3", "in chunks"),
    ("paligemma (2)", "static"),
    ("paligemma (2)", "in chunks"),
}
FAMILIES = ("qwen2_vl", "qwen3_5", "aya_vision", "llama4", "gemma3", "gemma4", "paligemma (2)")


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in FAMILIES for way in WAYS if (name, way) not in NOT_THEIRS]
)
def test_every_way_of_generating_gives_what_one_pass_gives(name, way):
    """Aya Vision's window is 24 tokens: its cache forgets the picture while the answer grows."""
    model, processor = pair(name)
    ex = tam.explain(model, processor, PICTURE, PROMPT, **saying(processor, ANSWER), **WAYS[way])
    assert ex.answer == ANSWER
    assert_same(kept(ex), again(model, processor, ex))
