"""What the method takes in any spelling, what it refuses, and what it gives back."""

import numpy as np
import pytest
import torch
from made_texts import make_text

from tam_widget.maps import TokenMaps, activation_maps, token_activation_maps


@pytest.mark.parametrize(
    "spelling", [list, tuple, np.asarray, torch.tensor, lambda values: torch.tensor(values, dtype=torch.int32)]
)
def test_indices_and_keys_in_any_spelling(spelling):
    text = make_text(5)
    hidden, weight, class_ids, positions, keys, image_positions = text.arguments
    numbers = [int(key) for key in keys]
    spelled = [spelling(list(map(int, values))) for values in (class_ids, positions, numbers, image_positions)]
    assert torch.equal(token_activation_maps(hidden, weight, *spelled), token_activation_maps(*text.arguments))


@pytest.mark.parametrize("keys", [np.asarray, tuple])
def test_keys_of_text_in_any_spelling(keys):
    text = make_text(6)
    spelled = (*text.arguments[:4], keys(text.keys), text.image_positions)
    assert torch.equal(token_activation_maps(*spelled), token_activation_maps(*text.arguments))


def test_the_result_is_frozen():
    maps = activation_maps(*make_text(10).arguments)
    assert isinstance(maps, TokenMaps)
    with pytest.raises(AttributeError):
        maps.image = maps.raw


HIDDEN, WEIGHT = torch.ones(6, 4), torch.ones(5, 4)


GOOD = {
    "hidden": HIDDEN,
    "weight": WEIGHT,
    "class_ids": [0, 1],
    "positions": [4, 5],
    "keys": ["a", "b"],
    "image_positions": [0, 1, 2, 3],
}


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"hidden": HIDDEN.long()}, TypeError, "hidden must hold floating-point numbers, not torch.int64"),
        ({"hidden": HIDDEN.numpy()}, TypeError, "hidden must be a torch tensor, not ndarray"),
        ({"weight": WEIGHT.to(torch.int8)}, TypeError, "weight must hold floating-point numbers.*dequantise"),
        ({"hidden": HIDDEN[None]}, ValueError, r"hidden must have the shape .* not \(1, 6, 4\)"),
        ({"weight": WEIGHT[0]}, ValueError, r"weight must have the shape .* not \(4,\)"),
        ({"weight": WEIGHT[:, :3]}, ValueError, "hidden is 4 wide but weight is 3 wide"),
        ({"class_ids": [0, 5]}, IndexError, r"class_ids\[1\] is 5, but there are 5 rows of weight"),
        ({"class_ids": [0, -1]}, IndexError, r"class_ids\[1\] is -1"),
        ({"class_ids": [0.0, 1.0]}, TypeError, "class_ids must hold integers, not float64"),
        ({"class_ids": torch.tensor([True, False])}, TypeError, "class_ids must hold integers, not bool"),
        ({"class_ids": [[0, 1]]}, ValueError, r"class_ids must have one dimension, not the shape \(1, 2\)"),
        ({"class_ids": [0, 1, 2]}, ValueError, "positions has 2 entries but class_ids has 3"),
        ({"positions": [4, 6]}, IndexError, r"positions\[1\] is 6, but there are 6 positions of hidden"),
        ({"positions": [4]}, ValueError, "positions has 1 entries but class_ids has 2"),
        ({"image_positions": [0, 9]}, IndexError, r"image_positions\[1\] is 9"),
        ({"keys": ["a"]}, ValueError, "keys has 1 entries but class_ids has 2"),
        ({"keys": "ab"}, TypeError, "keys must be a sequence of keys"),
        ({"keys": ["a", 1]}, TypeError, "keys must be all str or all int, not int, str"),
        ({"keys": torch.ones(2)}, TypeError, "keys must be all str or all int, not float"),
        ({"keys": np.zeros((2, 1), int)}, ValueError, r"keys must have one dimension, not the shape \(2, 1\)"),
        ({"tokens": [2]}, IndexError, r"tokens\[0\] is 2, but there are 2 text tokens"),
        ({"query_class_ids": [0, 1]}, ValueError, "go together"),
        ({"query_keys": ["a", "b"]}, ValueError, "go together"),
        ({"query_class_ids": [0, 5], "query_keys": ["a", "b"]}, IndexError, r"query_class_ids\[1\] is 5"),
        ({"query_class_ids": [0], "query_keys": ["a"]}, ValueError, "query_class_ids has 1 entries but tokens has 2"),
        ({"query_class_ids": [0, 1], "query_keys": ["a"]}, ValueError, "query_keys has 1 entries but tokens has 2"),
        ({"query_class_ids": [0, 1], "query_keys": [1, 2]}, TypeError, "query_keys are int but keys are str"),
        ({"hidden": HIDDEN.index_fill(0, torch.tensor(2), torch.nan)}, ValueError, r"first is 2\) are not finite"),
        ({"hidden": HIDDEN.index_fill(0, torch.tensor(4), torch.inf)}, ValueError, r"first is 4\) are not finite"),
    ],
)
def test_errors_name_what_was_found(wrong, error, message):
    activation_maps(**GOOD)
    with pytest.raises(error, match=message):
        activation_maps(**{**GOOD, **wrong})


@pytest.mark.parametrize(("unseen", "error"), [(np.zeros((2, 12), bool), ValueError), (np.zeros((7, 12)), TypeError)])
def test_a_mask_must_fit(unseen, error):
    with pytest.raises(error, match="unseen must"):
        activation_maps(*make_text(0).arguments, unseen=unseen)
