"""The conversation behind an explanation is found again, or refused."""

import copy

import numpy as np
import pytest
import tiny_models
import torch
from explained_scenes import ANSWER, PROMPT, demo, demo_pair, of_case
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.evaluation.methods import method_maps, method_names
from tam_widget.replay.explained import Explained


def test_a_token_before_the_picture_has_not_seen_it():
    model, processor = CASES[0].pair()
    picture = tiny_models.picture(64, 48, box=(8, 8, 24, 24))
    content = [{"type": "text", "text": "Where is"}, {"type": "image"}, {"type": "text", "text": "the star?"}]
    messages = [{"role": "user", "content": content}]
    ex = tam.explain(model, processor, picture, messages=messages, answer=ANSWER)
    explained = Explained(model, processor, ex, messages=messages)
    for name in method_names():
        blind = np.isnan(method_maps(name, explained)).all(axis=(1, 2))
        assert blind.any(), name
        np.testing.assert_array_equal(blind, np.isnan(ex.maps().images[0]).all(axis=(1, 2)), name)


def test_a_conversation_of_turns_is_read_with_its_messages():
    model, processor = CASES[0].pair()
    picture = tiny_models.picture(64, 48, box=(8, 8, 24, 24))
    where = {"type": "image", "image": picture}
    messages = [
        {"role": "user", "content": [where, {"type": "text", "text": "What color is the star?"}]},
        {"role": "assistant", "content": "A red circle."},
        {"role": "user", "content": "Where is the square?"},
    ]
    ex = tam.explain(model, processor, messages=messages, answer=ANSWER, system="Say it.")
    with pytest.raises(tam.PromptError, match="pass messages="):
        Explained(model, processor, ex)
    explained = Explained(model, processor, ex, messages=messages, system="Say it.")
    assert explained.read(picture.rotate(90)).ids == explained.reading.ids
    for name in method_names():
        assert method_maps(name, explained, [-1]).shape == (1, *ex.grids[0])


def test_another_model_than_the_explanations_is_noticed():
    model, processor = copy.deepcopy(demo_pair()[0]), demo_pair()[1]
    with torch.no_grad():
        model.lm_head.weight.mul_(0.2)
    with pytest.raises(tam.LayoutError, match="has the probability 0"):
        _ = Explained(model, processor, demo(0)[1].explanation).run


def test_what_cannot_be_compared_is_refused():
    model, processor = CASES[0].pair()
    picture = tiny_models.picture(64, 48)
    several = tam.explain(model, processor, [picture, picture], PROMPT, answer=ANSWER)
    with pytest.raises(tam.PictureError, match="is of 2 pictures"):
        Explained(model, processor, several)
    video = tam.explain(model, processor, video=[picture] * 4, prompt=PROMPT, answer=ANSWER)
    with pytest.raises(tam.PictureError, match="is of a video"):
        Explained(model, processor, video)
    ex = of_case(CASES[0]).explanation
    two = [{"role": "user", "content": [{"type": "image", "image": picture}] * 2 + [{"type": "text", "text": PROMPT}]}]
    with pytest.raises(tam.PictureError, match="hold 2 pictures"):
        Explained(model, processor, ex, messages=two)
    other = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where is the star?"}]}]
    with pytest.raises(tam.LayoutError, match="other tokens or another grid"):
        _ = Explained(model, processor, ex, messages=other).reading
