"""The conversation behind an explanation is found again, or refused."""

import copy

import made_explanation
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
    explained = Explained(model, processor, ex)
    for name in method_names():
        blind = np.isnan(method_maps(name, explained)).all(axis=(1, 2))
        assert blind.any(), name
        np.testing.assert_array_equal(blind, np.isnan(ex.maps().images[0]).all(axis=(1, 2)), name)


def test_a_conversation_of_turns_is_read_again():
    model, processor = CASES[0].pair()
    picture = tiny_models.picture(64, 48, box=(8, 8, 24, 24))
    where = {"type": "image", "image": picture}
    messages = [
        {"role": "user", "content": [where, {"type": "text", "text": "What color is the star?"}]},
        {"role": "assistant", "content": "A red circle."},
        {"role": "user", "content": "Where is the square?"},
    ]
    ex = tam.explain(model, processor, messages=messages, answer=ANSWER, system="Say it.")
    explained = Explained(model, processor, ex)
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
    pieces, ex = tiny_models.processor(), of_case(CASES[0]).explanation
    pieces.image_processor.size = {"shortest_edge": 4 * tiny_models.CELL**2, "longest_edge": 4 * tiny_models.CELL**2}
    with pytest.raises(tam.LayoutError, match="other tokens or another grid"):
        _ = Explained(model, pieces, ex).reading
    with pytest.raises(tam.ModelGoneError, match="does not hold the conversation"):
        Explained(model, processor, made_explanation.make())
