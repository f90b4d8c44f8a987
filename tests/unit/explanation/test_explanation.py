"""What an Explanation gives, made here from random states: no model needed."""

import sys
import types

import numpy as np
import pytest
from made_explanation import ANSWER, GRIDS, PROMPT, make

import tam_widget as tam
from tam_widget.explanation import map_bank
from tam_widget.explanation.map_bank import MapBank


@pytest.fixture(scope="module")
def ex():
    return make()


def test_texts_tokens_and_words(ex):
    assert ex.prompt == "Where is it?"
    assert ex.answer == "A red triangle is here."
    assert [token.index for token in ex.tokens] == list(range(11))
    assert [word.text for word in ex.words] == ["Where", "is", "it", "?", "A", "red", "triangle", "is", "here", "."]
    assert ex.find("is") == [1, 8]
    assert ex.find("TRIANGLE") == [6, 7]
    assert ex.occurrences("is") == [[1], [8]]
    assert ex.find("elephant") == []
    assert ex.model_name == "random"
    assert "A red triangle is here." in repr(ex)


def test_a_video_has_a_map_for_each_frame():
    ex = make(grids=((3, 4, 5), (3, 3)))
    assert ex.grids == ((3, 4, 5), (3, 3))
    assert ex.boxes == ((0, 0, 50, 40), (0, 0, 30, 30))
    assert ex.heatmap(5).shape == (3, 4, 5)
    assert ex.heatmap(5, image=1).shape == (3, 3)
    assert ex.maps().images[0].shape == (11, 3, 4, 5)


def test_prompt_and_answer_are_the_last_turns():
    ex = make(turns=((PROMPT, ANSWER), (("And", " now", "?"), ("Gone", "."))))
    assert (ex.prompt, ex.answer) == ("And now?", "Gone.")
    assert [token.turn for token in ex.tokens] == [0] * 11 + [1] * 5


def test_a_token_stands_wherever_its_index_can(ex):
    token = ex.tokens[6]
    np.testing.assert_array_equal(ex.heatmap(token), ex.heatmap(6))
    np.testing.assert_array_equal(ex.relevance(token), ex.relevance(6))
    assert ex.tokens[token] is token
    assert ex.heatmap(np.int64(6)).shape == (4, 5)


def test_negative_indices_count_from_the_end(ex):
    np.testing.assert_array_equal(ex.heatmap(-1), ex.heatmap(10))
    assert len(ex.relevance(-1)) == 10


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda ex: ex.heatmap(11), "token 11 is out of range: there are 11"),
        (lambda ex: ex.heatmap(-12), "token -12 is out of range"),
        (lambda ex: ex.relevance(99), "token 99 is out of range"),
        (lambda ex: ex.heatmap(0, image=1), "picture 1 is out of range: there are 1"),
        (lambda ex: ex.heatmap(0, candidate=0), "prompt's"),
        (lambda ex: ex.heatmap(5, candidate=2), "candidate 2 is out of range: there are 2"),
        (lambda ex: ex.heatmap(5, candidate=ex.tokens[6].candidates[0]), "no candidate of token 5"),
        (lambda ex: ex.plot("elephant"), "occurs neither"),
        (lambda ex: ex.plot(40), "token 40"),
        (lambda ex: ex.overlay([]), "no token"),
    ],
)
def test_indices_out_of_range_say_what_there_is(ex, ask, message):
    with pytest.raises(tam.TokenIndexError, match=message):
        ask(ex)
    with pytest.raises(IndexError):
        ask(ex)


@pytest.mark.parametrize("index", ["circle", 1.5, None])
def test_what_is_no_index_is_a_type_error(ex, index):
    with pytest.raises(TypeError):
        ex.heatmap(index)


def test_all_maps_at_once_are_the_maps_one_by_one(ex):
    maps = ex.maps()
    assert [image.shape for image in maps.images] == [(11, 4, 5)]
    assert maps.relevance.shape == (11, 11)
    assert maps.images[0].dtype == maps.relevance.dtype == np.float32
    for token in ex.tokens:
        np.testing.assert_array_equal(maps.images[0][token.index], ex.heatmap(token))
        np.testing.assert_array_equal(maps.relevance[token.index, : token.index], ex.relevance(token))
        assert not maps.relevance[token.index, token.index :].any()
    assert ex.maps() is maps


def test_what_is_handed_out_is_the_callers_own_and_what_is_kept_cannot_be_changed(ex):
    before = ex.heatmap(5)
    ex.heatmap(5)[:] = 9
    ex.relevance(5)[:] = 9
    np.testing.assert_array_equal(ex.heatmap(5), before)
    with pytest.raises(ValueError, match="read-only"):
        ex.maps().images[0][:] = 9


ALONE, NOT_KEPT = ("explanation.map_bank._TOGETHER", 0), ("explanation.map_bank._KEPT_BYTES", 0)
NO_SCORES, ONE_BY_ONE = ("maps.scores._CPU_KEPT", 0), ("maps.tam._GROUP_WITHOUT_SCORES", 1)


@pytest.mark.parametrize(
    "limits",
    [
        [ALONE],
        [NOT_KEPT],
        [("maps.tam._GROUP", 60)],
        [ALONE, NOT_KEPT, NO_SCORES, ONE_BY_ONE, ("maps.scores._BLOCK", 1)],
    ],
)
def test_a_long_answer_on_a_big_picture_gives_the_same_maps_in_small_pieces(monkeypatch, limits):
    expected = make(grids=GRIDS)
    expected.maps()
    for name, value in limits:
        monkeypatch.setattr(f"tam_widget.{name}", value)
    ex = make(grids=GRIDS)
    for token in ex.tokens:
        for image in range(2):
            np.testing.assert_array_equal(ex.heatmap(token, image=image), expected.heatmap(token, image=image))
        np.testing.assert_array_equal(ex.relevance(token), expected.relevance(token))
    for found, known in zip(ex.maps().images, expected.maps().images, strict=True):
        np.testing.assert_array_equal(found, known)


def test_only_the_latest_maps_of_candidates_are_kept(monkeypatch):
    monkeypatch.setattr(map_bank, "_LATEST", 3)
    ex = make()
    for index in range(4, 11):
        ex.heatmap(index, candidate=1)
    assert len(ex._bank._latest) == 3
    assert ex.heatmap(5, candidate=1).shape == (4, 5)


def test_maps_of_all_tokens_are_computed_once(monkeypatch):
    ex = make()
    calls = []
    computed = MapBank._computed
    monkeypatch.setattr(MapBank, "_computed", lambda self, *args: calls.append(len(args[0])) or computed(self, *args))
    for token in ex.tokens:
        ex.heatmap(token)
        ex.relevance(token)
    assert [count for count in calls if count] == [11]


def test_a_notebook_shows_the_widget(monkeypatch, ex):
    class Widget:
        def __init__(self, explanation, **options):
            self.explanation, self.options = explanation, options

        def _repr_mimebundle_(self, **_kwargs):
            return {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Widget()"}, {
                "meta": 1
            }

    monkeypatch.setitem(sys.modules, "tam_widget.widget", types.SimpleNamespace(TAMWidget=Widget, output_widget=Widget))
    data, metadata = ex._repr_mimebundle_(include=None, exclude=None)
    assert data["application/vnd.jupyter.widget-view+json"] == {"model_id": "1"}
    assert data["text/plain"] == repr(ex)
    assert metadata == {"meta": 1}
    widget = ex.widget(opacity=0.3)
    assert widget.explanation is ex
    assert widget.options == {"opacity": 0.3}


def test_without_anywidget_a_notebook_shows_the_text(monkeypatch, ex):
    monkeypatch.setitem(sys.modules, "tam_widget.widget", None)  # as where it cannot be imported
    assert ex._repr_mimebundle_() == {"text/plain": repr(ex)}
