"""Maps in 255 levels, one by one and embedded."""

from types import SimpleNamespace

import numpy as np
import pytest
from hand_made_explanations import levels, map_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tam_widget.widget import TAMWidget, encode, protocol


def test_a_weak_map_uses_all_levels(explanation):
    cells, peak, relevances, relevance_peak = map_of(explanation, 3)
    assert peak == pytest.approx(13e-4)
    assert levels(cells) == [0, 20, 39, 59, 78, 98, 195, 215, 234, 254]
    assert (levels(relevances), relevance_peak) == ([0, 128, 255], 1)


def test_unseen_cells_are_marked(explanation):
    cells, peak, _, _ = map_of(explanation, 1)
    assert peak == pytest.approx(5e-4)
    assert levels(cells)[6:] == [protocol.UNSEEN] * 4
    assert max(levels(cells)[:6]) == protocol.PEAK_LEVEL


def test_a_token_before_all_pictures_has_seen_none(film):
    cells, peak, _, _ = map_of(film, 0)
    assert peak == 0
    assert set(levels(cells)) == {protocol.UNSEEN}


def test_embedded_maps_of_a_video_equal_the_answers(film):
    film.maps = lambda: SimpleNamespace(
        images=tuple(np.stack([film.heatmap(i, image=k) for i in range(4)]) for k in range(2)),
        relevance=np.tril(np.ones((4, 4), np.float32), -1),
    )
    embedded = encode.embed_maps(film)
    assert len(embedded["cells"]) + len(embedded["relevances"]) == encode.embedded_size(film)
    for i in range(4):
        assert embedded["cells"][22 * i : 22 * (i + 1)] == map_of(film, i)[0]


def test_no_activation_is_a_peak_of_zero(explanation):
    cells, peak, relevances, relevance_peak = map_of(explanation, 0)
    assert (peak, relevance_peak, relevances) == (0, 0, b"")
    assert levels(cells)[:6] == [0] * 6


@given(npst.arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 1, width=32) | st.just(np.float32("nan"))))
def test_levels_give_the_values_back(values):
    data, peak = encode._levels(values, protocol.PEAK_LEVEL)
    got = np.frombuffer(data, np.uint8)
    unseen = np.isnan(values)
    assert np.array_equal(got == protocol.UNSEEN, unseen)
    back = got[~unseen] / protocol.PEAK_LEVEL * peak
    assert np.allclose(back, values[~unseen], rtol=1e-5, atol=0.5001 * peak / protocol.PEAK_LEVEL)


def test_embedded_maps_equal_the_answers(explanation):
    embedded = encode.embed_maps(explanation)
    assert len(embedded["cells"]) + len(embedded["relevances"]) == encode.embedded_size(explanation)
    for i in range(4):
        cells, peak, relevances, relevance_peak = map_of(explanation, i)
        start = i * (i - 1) // 2
        assert embedded["cells"][10 * i : 10 * (i + 1)] == cells
        assert embedded["relevances"][start : start + i] == relevances
        assert (embedded["peaks"][i], embedded["relevance_peaks"][i]) == (peak, relevance_peak)


def test_small_maps_are_embedded_unasked(explanation, monkeypatch):
    assert TAMWidget(explanation).maps is not None
    monkeypatch.setattr("tam_widget.widget.widget.EMBED_LIMIT", encode.embedded_size(explanation) - 1)
    assert TAMWidget(explanation).maps is None
    assert TAMWidget(explanation, embed=True).maps is not None


def test_embed_false_makes_no_map(explanation):
    assert TAMWidget(explanation, embed=False).maps is None
    assert explanation.asked == []
