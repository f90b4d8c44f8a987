"""Contributions equal those that automatic differentiation finds in an eager copy in float64, on every family."""

import numpy as np
import pytest
import tiny_models
import torch
from contributions_by_gradient import reference
from explained_scenes import ANSWER, PROMPT
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.replay.explained import Explained


def uneven(case):
    """A family's model whose norms and layer scalars are not 1, as those of a trained model."""
    torch.manual_seed(0)
    model = case.build().eval()
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if name.endswith("layer_scalar") or ("norm" in name and value.ndim == 1):
            value.data += 0.3 * torch.randn(value.shape)
    return model, case.pair()[1]


def signed(ex, token, class_id):
    """All cells of a token's signed map, as they were kept."""
    kept = ex._readings["contribution"]
    return kept.values[kept.row_of[token, class_id]]


# What stands in the way of these is not of the kind that the equation follows.
REFUSED = {
    "gemma3n": "several residual streams",
    "glm5_next": "several residual streams",
    "inkling2": "a bias of its own",
    "inkling_mm_model": "a bias of its own",
    "muse_spark": "cannot be followed",
    "qwen4_exp": "not one of a residual stream",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.family in REFUSED], ids=str)
def test_where_the_equation_does_not_hold_the_lens_is_refused_and_tam_works(case):
    model, processor = uneven(case)
    ex = tam.explain(model, processor, tiny_models.picture(*case.sizes[0]), PROMPT, answer=ANSWER)
    assert ex.lenses == ("tam",)
    with pytest.raises(tam.LensError, match=REFUSED[case.family]):
        ex.heatmap(len(ex.tokens) - 1, lens="contribution")
    assert np.isfinite(ex.heatmap(len(ex.tokens) - 1)).any()


@pytest.mark.parametrize("case", [case for case in CASES if case.family not in REFUSED], ids=str)
def test_contributions_are_those_of_an_eager_reference(case):
    model, processor = uneven(case)
    picture = tiny_models.picture(*case.sizes[0], box=(5, 5, 20, 20))
    ex = tam.explain(model, processor, picture, PROMPT, answer=ANSWER)
    assert ex.lenses == ("tam", "contribution"), ex._readings
    explained = Explained(model, processor, ex)
    reading = explained.reading
    last = len(ex.tokens) - 1
    which = [(0, ex.tokens[0].id), (5, ex.tokens[5].id)]
    which += [(token, candidate.id) for token in (last - 3, last) for candidate in ex.tokens[token].candidates[:2]]
    queries = [(int(reading.read[token]), class_id) for token, class_id in which]
    expected = reference(model, reading.inputs, queries)[:, torch.from_numpy(reading.vision)].numpy()
    assert np.abs(expected).max() > 0
    for (token, class_id), row in zip(which, expected, strict=True):
        found = signed(ex, token, class_id)
        np.testing.assert_allclose(found, row, atol=1e-4 * np.abs(row).max())
