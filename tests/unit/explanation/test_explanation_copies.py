"""An explanation can be kept in a file, sent to another process, and copied; its maps are the same there."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from made_explanation import make


def saved(ex):
    file = io.BytesIO()
    torch.save(ex, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS = [copy.copy, copy.deepcopy, saved, lambda ex: pickle.loads(pickle.dumps(ex))]  # noqa: S301 - our own bytes


@pytest.mark.parametrize("way", WAYS, ids=["copy", "deepcopy", "torch.save", "pickle"])
@pytest.mark.parametrize("shown", [False, True], ids=["new", "looked at and shown"])
def test_a_copys_maps_are_equal(way, shown):
    ex = make(grids=[(4, 5), (2, 3, 3)])
    if shown:
        ex.maps()
        ex._repr_mimebundle_()
    copied = way(ex)
    assert copied is not ex
    assert repr(copied) == repr(ex)
    assert (copied.tokens, copied.words, copied.texts) == (ex.tokens, ex.words, ex.texts)
    for found, expected in zip(copied.maps().images, ex.maps().images, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(copied.maps().relevance, ex.maps().relevance)
    np.testing.assert_array_equal(copied.heatmap(-1, candidate=1, image=1), ex.heatmap(-1, candidate=1, image=1))
    np.testing.assert_array_equal(np.asarray(copied.images[0]), np.asarray(ex.images[0]))


def test_a_copy_is_shown_by_a_widget_of_its_own():
    ex = make()
    kind = "application/vnd.jupyter.widget-view+json"
    assert ex._repr_mimebundle_()[0][kind] != copy.deepcopy(ex)._repr_mimebundle_()[0][kind]


def test_what_was_computed_is_not_saved():
    ex = make()
    before = len(pickle.dumps(ex))
    ex.maps()
    assert len(pickle.dumps(ex)) == before
