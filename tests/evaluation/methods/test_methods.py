"""The interface of all methods, and Token Activation Map, its parts and its successors."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from explained_scenes import (
    ANSWER,
    NO_EMBEDDINGS,
    NO_LENS,
    NO_ROLLOUT,
    PROMPT,
    cases,
    demo,
    demo_pair,
    of_case,
    state_of,
)
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.evaluation.methods import MethodError, method_maps, method_names, overlap, register_method
from tam_widget.evaluation.methods import registry as registry_module
from tam_widget.evaluation.methods.overlap import tam_overlap
from tam_widget.evaluation.methods.registry import scale_each
from tam_widget.evaluation.methods.resolutions import tam_resolutions
from tam_widget.explanation.map_bank import MapBank
from tam_widget.replay.explained import Explained

VARIANTS = {
    "tam": {},
    "causal": {"kernel_size": 1},
    "filter": {"causal_inference": False},
    "cam": {"causal_inference": False, "kernel_size": 1},
}

LACKING = {
    "attention": (NO_LENS, "cannot be had of this model"),
    "attention_mean": (NO_LENS, "cannot be had of this model"),
    "contribution": (NO_LENS, "cannot be had of this model"),
    "rollout": (NO_ROLLOUT, "has no attention weights to read"),
    "gradient_x_input": (NO_EMBEDDINGS, "does not hand its text decoder embeddings"),
    "integrated_gradients": (NO_EMBEDDINGS, "does not hand its text decoder embeddings"),
}


@pytest.mark.parametrize("case", cases())
def test_every_method_gives_maps_of_every_family_and_leaves_the_model_alone(case):
    explained = of_case(case)
    tokens = [0, len(explained.explanation.tokens) - 2]
    before = state_of(explained.model)
    for name in method_names():
        without, what = LACKING.get(name, ((), None))
        if case.family in without:
            with pytest.raises(MethodError, match=what):
                method_maps(name, explained, tokens)
            continue
        maps = method_maps(name, explained, tokens)
        assert maps.shape == (2, *explained.explanation.grids[0]), name
        assert maps.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(maps), np.isnan(explained.explanation.maps().images[0][tokens]), name)
        assert np.nanmin(maps) >= 0, name
        assert np.nanmax(maps) <= 1, name
    assert state_of(explained.model) == before


def test_every_method_runs_in_bfloat16():
    model, processor = copy.deepcopy(demo_pair()[0]).to(torch.bfloat16), demo_pair()[1]
    scene, _ = demo(0)
    explained = Explained(model, processor, tam.explain(model, processor, scene.image, PROMPT, answer=scene.caption))
    for name in method_names():
        maps = method_maps(name, explained, explained.explanation.find("circle"))
        assert np.isfinite(maps).all()
        assert maps.max() > 0


def test_floors_know_nothing_of_the_word():
    _, explained = demo(0)
    tokens = [token.index for token in explained.explanation.tokens if token.role == "answer"]
    uniform, random, centre = (method_maps(name, explained, tokens) for name in ("uniform", "random", "centre"))
    assert (uniform == 1).all()
    assert (centre == centre[:1]).all()
    np.testing.assert_allclose(centre[0], centre[0, ::-1, ::-1], atol=1e-6)
    rows, columns = centre.shape[1:]
    deviation = np.sqrt(-np.log(centre[0, 0, columns // 2] / centre[0, rows // 2, columns // 2]) / 2) / (1 - 1 / rows)
    assert deviation == pytest.approx(1 / (0.25 * 4), rel=0.01)  # half a side is two standard deviations
    assert len(np.unique(random)) > 0.99 * random.size
    assert random.mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(random[2:3], method_maps("random", explained, tokens[2:3]))


@pytest.mark.parametrize("name", VARIANTS)
def test_parts_of_the_method_are_the_explanations_own(name):
    _, explained = demo(1)
    expected = explained.explanation.maps(**VARIANTS[name]).images[0]
    np.testing.assert_array_equal(method_maps(name, explained), expected)
    np.testing.assert_array_equal(method_maps(name, explained, [7, 3, -1]), expected[[7, 3, len(expected) - 1]])


@pytest.mark.parametrize("case", cases())
def test_weighted_by_relevance_the_overlap_method_is_tam(case):
    explained = of_case(case)
    have = explained.activations(explained.reading, explained.run)
    states = have.states[len(explained.reading.vision) :].double()
    relevance = (have.rows[[have.row_of[i] for i in have.ids]].double() @ states.T).clamp(min=0)
    expected = explained.explanation.maps().images[0]
    np.testing.assert_allclose(MapBank(have).weighted(relevance).images[0], expected, atol=1e-5)


def test_overlap_counts_common_predictions():
    explained = of_case(CASES[0])
    states = explained.run.states[explained.reading.read]
    logits = explained.model.get_output_embeddings()(states)
    best = [set(row.topk(7).indices.tolist()) for row in logits]
    expected = [[len(one & other) / 7 for other in best] for one in best]
    np.testing.assert_allclose(overlap._overlap(explained, states, 7), expected, atol=1e-6)
    everything = tam_overlap(explained, range(14), top=10**6)  # all predict the same: the plain mean of the context
    have = explained.activations(explained.reading, explained.run)
    np.testing.assert_array_equal(everything, MapBank(have).weighted(torch.ones(14, 14)).images[0])


def test_one_resolution_is_tam_and_others_are_resized():
    explained = of_case(CASES[0])
    tokens = [4, 9, 11]
    own = explained.explanation.maps().images[0][tokens]
    np.testing.assert_array_equal(tam_resolutions(explained, tokens, scales=[1]), own)
    width, height = explained.picture.size
    larger = explained.picture.resize((width * 2, height * 2), resample=1)  # Lanczos
    other = tam.explain(explained.model, explained.processor, larger, PROMPT, answer=ANSWER)
    assert other.grids[0] != own.shape[1:]
    maps = torch.from_numpy(other.maps().images[0][tokens].copy())[None]
    resized = F.interpolate(maps, size=own.shape[1:], mode="bilinear", align_corners=False)[0].numpy()
    np.testing.assert_allclose(tam_resolutions(explained, tokens, scales=[2]), resized, atol=1e-5)
    np.testing.assert_allclose(tam_resolutions(explained, tokens, scales=[1, 2]), (own + resized) / 2, atol=1e-5)
    for scales in ([], [1, 0], [-1]):
        with pytest.raises(ValueError, match="scales must be positive"):
            tam_resolutions(explained, tokens, scales=scales)


def test_a_function_of_ones_own_joins(monkeypatch):
    monkeypatch.setattr(registry_module, "_METHODS", dict(registry_module._METHODS))
    _, explained = demo(1)
    grid = explained.explanation.grids[0]

    def ramp(explained, tokens):
        return np.stack([np.linspace(0, 1, grid[0] * grid[1]).reshape(grid) * token / 20 for token in tokens])

    register_method("ramp", ramp)
    assert method_names()[-1] == "ramp"
    maps = method_maps("ramp", explained, explained.explanation.tokens[3:5])
    assert maps.dtype == np.float32
    assert maps.max(axis=(1, 2)).tolist() == pytest.approx([3 / 20, 4 / 20])
    np.testing.assert_array_equal(method_maps(ramp, explained, [3, 4]), maps)
    with pytest.raises(TypeError, match="must be a function"):
        register_method("ramp", maps)


def test_what_is_no_map_is_refused():
    _, explained = demo(1)
    with pytest.raises(MethodError, match="there is no method 'grad'; there are: tam, causal"):
        method_maps("grad", explained)
    with pytest.raises(MethodError, match=r"shape \(1, 2, 2\); \(tokens, rows, columns\) is \(1, 16, 16\)"):
        method_maps(lambda *_: np.zeros((1, 2, 2)), explained, [0])
    for level in (-1.0, 1.5, np.inf):
        with pytest.raises(MethodError, match="scale_each"):
            method_maps(lambda *_, level=level: np.full((1, 16, 16), level), explained, [0])
    with pytest.raises(tam.TokenIndexError):
        method_maps("cam", explained, [99])


def test_scaling_each_map():
    maps = np.array([[[1.0, 3.0], [np.nan, 2.0]], [[4.0, 4.0], [4.0, 4.0]], np.full((2, 2), np.nan)])
    scaled = scale_each(maps)
    np.testing.assert_array_equal(scaled[0], [[0, 1], [np.nan, 0.5]])
    assert not scaled[1].any()
    assert np.isnan(scaled[2]).all()
