"""What the widget answers to what the page asks, and what it refuses."""

import threading

import numpy as np
import pytest
from hand_made_explanations import levels, map_of

from tam_widget.text.tokens import Token
from tam_widget.widget import TAMWidget, protocol
from tam_widget.widget.requests import answer

METHOD = {"causal_inference": True, "kernel_size": 3, "part": "map"}


def asking(*tokens, **more):
    """A request for a map, as the browser sends it."""
    return {
        "id": "a",
        "type": "map",
        "tokens": list(tokens),
        "combine": "mean",
        "candidate": None,
        "method": METHOD,
    } | more


def test_a_map(explanation):
    reply, buffers = answer(explanation, asking(2, id="a-1"))
    cells, peak, relevances, relevance_peak = map_of(explanation, 2)
    assert reply == {"id": "a-1", "type": "map", "peak": peak, "relevance_peak": relevance_peak}
    assert buffers == [cells + relevances]


def test_a_candidates_map(explanation):
    own, _ = answer(explanation, asking(2))
    other, _ = answer(explanation, asking(2, candidate=1))
    assert other["peak"] == pytest.approx(100 * own["peak"])


def test_a_words_map_is_the_mean_or_the_maximum_of_its_tokens(film, explanation):
    for combine, expected in (("mean", np.mean), ("max", np.max)):
        both = [film.heatmap(token) for token in (2, 3)]
        cells, peak, _, _ = map_of(film, 2, 3, combine=combine)
        values = np.array(levels(cells)[:18]) / protocol.PEAK_LEVEL * peak
        np.testing.assert_allclose(values, expected(both, axis=0).ravel(), atol=0.003)
    # What one token of two has seen counts; the relevances are the greatest, up to the last token.
    cells, _, relevances, _ = map_of(explanation, 1, 2)
    assert levels(cells)[6:] == levels(map_of(explanation, 2)[0])[6:]
    assert len(relevances) == 2


def test_the_method_is_passed_on(explanation):
    method = {"causal_inference": False, "kernel_size": 5, "part": "raw"}
    answer(explanation, asking(2, method=method))
    assert explanation.asked[-1] == (2, None, 1, method)


def test_a_region(explanation):
    request = {"id": "r", "type": "region", "image": 1, "frame": None, "box": [0.25, 0, 0.5, 1], "method": METHOD}
    reply, (scores,) = answer(explanation, request)
    assert reply == {"id": "r", "type": "region"}
    np.testing.assert_array_equal(np.frombuffer(scores, "<f4"), np.float32([np.nan, 0.25, 0.5, 1]))
    assert explanation.asked == [((2, 0, 4, 6), 1, None, {"causal_inference": True, "kernel_size": 3})]


def test_the_answers_scale_is_that_of_the_last_answer(explanation):
    reply, _ = answer(explanation, {"id": "s", "type": "scale", "method": METHOD | {"kernel_size": 5}})
    assert reply == {"id": "s", "type": "scale", "peak": pytest.approx(13e-4 * 5 / 3)}
    first = explanation.tokens[1]
    explanation.tokens = tuple(
        token if token is not first else Token(1, "A", 1, "answer", 3, (0, 1)) for token in explanation.tokens
    )
    reply, _ = answer(explanation, {"id": "s", "type": "scale", "method": METHOD})
    assert reply["peak"] == pytest.approx(5e-4)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (asking(99), "IndexError"),
        (asking(-1), "IndexError"),
        (asking("2"), "TypeError"),
        (asking(*[True]), "TypeError"),
        (asking(), "TypeError"),
        (asking(2, candidate=0.5), "TypeError"),
        (asking(2, 3, candidate=1), "ValueError"),
        (asking(2, combine="sum"), "ValueError"),
        (asking(2, method={"causal_inference": True}), "TypeError"),
        (asking(2, method=None), "TypeError"),
        ({"id": "a", "type": "map"}, "TypeError"),
        ({"id": "a", "type": "region", "image": 0, "frame": None, "box": [0, 1], "method": METHOD}, "TypeError"),
        ({"id": "a", "type": "region", "image": "0", "frame": None, "box": [0] * 4, "method": METHOD}, "TypeError"),
        ({"id": "a", "type": "scale"}, "TypeError"),
        ({"id": "a", "type": "tea"}, "ValueError"),
    ],
)
def test_an_error_is_an_answer(explanation, request_, kind):
    reply, buffers = answer(explanation, request_)
    assert reply["id"] == "a"
    assert reply["error"]["type"] == kind
    assert reply["error"]["message"]
    assert buffers == []


@pytest.mark.parametrize("request_", [None, 7, "map", [], {}, {"type": "map", "tokens": [1]}, asking(1, id=5)])
def test_what_is_no_request_gets_an_error_without_id(explanation, request_):
    reply, _ = answer(explanation, request_)
    assert reply["id"] is None
    assert reply["error"]["type"] == "ValueError"


def test_the_widget_sends_the_answer(widget, monkeypatch):
    sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
    widget._handle_custom_msg(asking(3), [])
    ((content, buffers),) = sent
    assert content["id"] == "a"
    assert len(buffers[0]) == 10 + 3


def test_the_browser_chooses_the_thread_that_answers(explanation, monkeypatch):
    from comm.base_comm import BaseComm

    # As in ipykernel 7.4, where it makes a hover wait for the running cell; tests/browser shows the effect.
    monkeypatch.setattr(BaseComm, "_reply_subshell_for", lambda *_: "main", raising=False)
    assert TAMWidget(explanation).comm._reply_subshell_for is None


def test_a_ping_wants_no_answer(widget, monkeypatch):
    sent = []
    monkeypatch.setattr(widget, "send", lambda *reply: sent.append(reply))
    widget._handle_custom_msg({"type": "ping"}, [])
    assert sent == []


def test_one_request_at_a_time(widget, monkeypatch):
    inside, most = 0, 0

    def slow(_explanation, request):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.01)
        inside -= 1
        return request, []

    sent = []
    monkeypatch.setattr("tam_widget.widget.widget.answer", slow)
    monkeypatch.setattr(widget, "send", lambda content, _buffers: sent.append(content["id"]))
    threads = [threading.Thread(target=widget._handle_custom_msg, args=({"id": str(i)}, [])) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(sent) == [str(i) for i in range(8)]
