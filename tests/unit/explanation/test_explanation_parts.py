"""The method by its parts, and the whole answer on one sheet, on the demo model."""

import numpy as np
import pytest
import torch

import tam_widget as tam
from tam_widget.maps import rank_gaussian_filter


@pytest.fixture(scope="module")
def explanation():
    model, processor = tam.load_demo()
    return tam.explain(model, processor, tam.demo.scene(9).image, "Describe this image.")


def test_all_maps_are_the_maps_of_each_token(explanation):
    maps = explanation.maps()
    assert maps.images[0].shape == (len(explanation.tokens), *explanation.grids[0])
    for token in explanation.tokens:
        assert np.array_equal(maps.images[0][token.index], explanation.heatmap(token))
        assert np.array_equal(maps.relevance[token.index, : token.index], explanation.relevance(token))


def test_the_parts_make_the_whole(tiny):
    """On random weights, where every word resembles every other; the demo model leaves nothing to take out."""
    model, processor = tiny()
    picture = tam.demo.scene(9).image.resize((64, 48))
    explanation = tam.explain(model, processor, picture, "Describe the image.", answer="A red circle")
    unfiltered = explanation.maps(kernel_size=1).images[0]
    whole = rank_gaussian_filter(torch.tensor(unfiltered)).numpy()
    np.testing.assert_allclose(whole, explanation.maps().images[0], atol=1e-6)
    cam = explanation.maps(causal_inference=False, kernel_size=1).images[0]
    # The first token has nothing before it that could be taken out; others have.
    assert np.array_equal(cam[0], unfiltered[0])
    assert (cam > unfiltered).any()
    with pytest.raises(ValueError, match="odd"):
        explanation.maps(kernel_size=2)


def test_raw_activation_less_interference_is_the_map_before_its_scale(tiny):
    model, processor = tiny()
    picture = tam.demo.scene(9).image.resize((64, 48))
    explanation = tam.explain(model, processor, picture, "Describe the image.", answer="A red circle")
    for token in explanation.tokens:
        raw = explanation.heatmap(token, part="raw")
        taken = explanation.heatmap(token, part="interference")
        left = np.clip(raw - taken, 0, None)
        unfiltered = explanation.heatmap(token, kernel_size=1)
        if token.index == 0:
            assert not taken.any()
        if unfiltered.any():  # one factor and one offset lead from logits to the joint scale
            slope, offset = np.polyfit(left.ravel(), unfiltered.ravel(), 1)
            np.testing.assert_allclose(unfiltered, slope * left + offset, atol=1e-4)
        assert not explanation.heatmap(token, part="interference", causal_inference=False).any()
    candidate = explanation.heatmap(-1, candidate=1, causal_inference=False, kernel_size=1)
    assert not np.array_equal(candidate, explanation.heatmap(-1, causal_inference=False, kernel_size=1))
    with pytest.raises(ValueError, match="part must be"):
        explanation.heatmap(0, part="rest")
    with pytest.raises(ValueError, match="positive odd number, not 2"):
        explanation.heatmap(0, kernel_size=2)


def test_a_place_in_the_picture_finds_the_words_that_it_drives():
    model, processor = tam.load_demo()
    scene = tam.demo.scene(9)
    explanation = tam.explain(model, processor, scene.image, "Describe this image.")
    for thing in scene.objects:
        rows, columns = np.nonzero(thing.mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        found = explanation.responses(box)
        assert found.shape == (len(explanation.tokens),)
        best = explanation.tokens[int(found.argmax())]
        word = next(word for word in explanation.words if best in word.tokens)
        assert word.text in {thing.shape, thing.colour, "large", "small"}
    with pytest.raises(ValueError, match="is no video"):
        explanation.responses((0, 0, 5, 5), frame=0)


def test_the_sheet_shows_each_word_of_the_answer(explanation):
    figure = explanation.plot(columns=4)
    words = [word.text.strip() for word in explanation.words if word.tokens[0].role == "answer"]
    assert [text.get_text() for text in figure.texts[::2]] == words
    assert len(figure.axes) == len(words)
    picture = np.asarray(explanation.images[0])
    for axes, word, peak in zip(figure.axes, words, figure.texts[1::2], strict=True):
        shown = np.asarray(axes.images[0].get_array())
        untouched = np.array_equal(shown, picture)
        assert untouched == (peak.get_text() == "–") == (word in {"There", "is", "a", ",", "and", "."})
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_sheet_has_columns(explanation):
    with pytest.raises(ValueError, match="columns"):
        explanation.plot(columns=0)
