"""What is asked at the same time, again and again, or for too much."""

import threading

import numpy as np
import pytest
import traitlets
from made_explanation import make

from tam_widget.explanation import map_bank
from tam_widget.lenses import tam as published
from tam_widget.widget import TAMWidget, encode
from tam_widget.widget.requests import Turns, answer

METHOD = {"causal_inference": True, "kernel_size": 3, "part": "map"}
REGION = {"id": "p-1", "type": "region", "image": 0, "frame": None, "box": [0, 0, 0.5, 0.5], "method": METHOD}
PATIENCE = 60  # seconds that a loaded machine may take for what takes none


def asking(*tokens, **more):
    return {
        "id": "p-1",
        "type": "map",
        "tokens": list(tokens),
        "combine": "mean",
        "candidate": None,
        "method": METHOD,
    } | more


@pytest.fixture
def large(monkeypatch):
    """Let the small explanations of these tests be made as large ones are, at no time to spare."""
    monkeypatch.setattr(map_bank, "_TOGETHER", 0)
    monkeypatch.setattr("tam_widget.maps.tam._GROUP", 60)
    monkeypatch.setattr("tam_widget.widget.requests._SECONDS", 0)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (asking(*range(12)), "there are 11 tokens; got a list of 12"),
        (asking(*[0] * 1_000_000), "got a list of 1,000,000"),
        (asking(3, 4, 3), "named once"),
        (asking(3, method=METHOD | {"kernel_size": 51}), "at most 7 for maps of 4 × 5 cells, not 51"),
        (asking(3, method=METHOD | {"kernel_size": 10**30 + 1}), "at most 7"),
        (asking(3, method=METHOD | {"causal_inference": "no"}), "causal_inference must be true or false"),
        (REGION | {"method": METHOD | {"kernel_size": 1001}}, "at most 7"),
        ({"id": "p-1", "type": "scale", "method": METHOD | {"kernel_size": 9}}, "at most 7"),
    ],
)
def test_too_much_is_refused(request_, message):
    reply, buffers = answer(make(), request_)
    assert reply["id"] == "p-1"
    assert message in reply["error"]["message"]
    assert buffers == []


def test_a_window_that_is_too_large_is_no_setting():
    ex = make(grids=((16, 16),))
    widget = TAMWidget(ex, kernel_size=15)
    for size in (17, 51, 1001):
        with pytest.raises(traitlets.TraitError, match=f"at most 15 for maps of 16 × 16 cells, not {size:,}"):
            widget.kernel_size = size
        with pytest.raises(traitlets.TraitError, match="at most 15"):
            TAMWidget(ex, kernel_size=size)
    assert widget.kernel_size == 15


@pytest.mark.parametrize("kind", ["region", "scale"])
def test_what_needs_all_maps_is_answered_after_some_rounds(large, kind):
    ex, expected = make(), make()
    expected.maps()
    request = REGION | {"type": kind}
    rounds = 0
    while (reply := answer(ex, request))[0] == {"id": "p-1", "type": "later", "share": 0.0}:
        assert reply[1] == []
        rounds += 1
        found, _ = answer(ex, asking(9, id="q-1"))  # a hover in between
        assert found["type"] == "map"
    assert rounds == 3
    if kind == "region":
        np.testing.assert_allclose(np.frombuffer(reply[1][0], "<f4"), expected.responses((0, 0, 25, 20)), atol=1e-6)
    else:
        assert reply[0]["peak"] == pytest.approx(expected.maps().images[0][4:].max())


def test_a_span_is_made_together(large, monkeypatch):
    blocks = []
    maps = published.TextActivations.maps
    monkeypatch.setattr(
        published.TextActivations,
        "maps",
        lambda self, *, tokens, **options: blocks.append(tokens) or maps(self, tokens=tokens, **options),
    )
    monkeypatch.setattr("tam_widget.maps.tam._GROUP", 2**20)
    ex = make()
    found = encode.encode_map(ex, [5, 6, 7, 8], combine="mean", **METHOD)
    assert blocks == [[5, 6, 7, 8]]
    blocks.clear()
    encode.encode_map(ex, [5, 6, 7, 8], combine="max", **METHOD | {"causal_inference": False})
    assert blocks == [[5, 6, 7, 8]]
    monkeypatch.setattr(encode, "_TOGETHER", 2)
    assert encode.encode_map(make(), [5, 6, 7, 8], combine="mean", **METHOD) == found


class Waiting:
    """Requests that wait for one that is being answered."""

    def __init__(self):
        self.turns, self.answered, self.threads = Turns(), [], []
        self._begun, self._go = threading.Event(), threading.Event()
        self._ask({"id": "other-1"}, hold=True)
        assert self._begun.wait(PATIENCE)

    def _ask(self, request, *, hold=False):
        def wait():
            with self.turns.of(request) as is_newest:
                if hold:
                    self._begun.set()
                    assert self._go.wait(PATIENCE)
                self.answered.append((request["id"], is_newest))

        self.threads.append(threading.Thread(target=wait))
        self.threads[-1].start()

    def ask(self, name):
        """Ask, and go on when it waits."""
        request = {"id": name}
        asker = name.rpartition("-")[0]
        self._ask(request)
        while asker and self.turns._newest.get(asker) is not request:
            threading.Event().wait(0.001)

    def end(self):
        self._go.set()
        for thread in self.threads:
            thread.join()
        return self.answered


def test_a_newer_question_overtakes_an_older_one_of_the_same_asker_that_waits():
    waiting = Waiting()
    for name in ("a-1", "a-2", "b-1", "a-3", "plain", "plain"):
        waiting.ask(name)
    answered = waiting.end()
    assert answered[0] == ("other-1", True)
    assert sorted(answered[1:]) == [
        ("a-1", False),
        ("a-2", False),
        ("a-3", True),
        ("b-1", True),
        ("plain", True),
        ("plain", True),
    ]
    assert not waiting.turns._newest


def test_who_was_overtaken_hears_so(monkeypatch):
    widget = TAMWidget(make())
    sent = []
    monkeypatch.setattr(widget, "send", lambda content, _buffers: sent.append((content["id"], content["type"])))
    with widget._turns.of({"id": "other-1"}):
        first = threading.Thread(target=widget._handle_custom_msg, args=(asking(3, id="a-1"), []))
        first.start()
        while "a" not in widget._turns._newest:
            threading.Event().wait(0.001)
        before = widget._turns._newest["a"]
        second = threading.Thread(target=widget._handle_custom_msg, args=(asking(4, id="a-2"), []))
        second.start()
        while widget._turns._newest["a"] is before:
            threading.Event().wait(0.001)
    first.join()
    second.join()
    assert sorted(sent) == [("a-1", "later"), ("a-2", "map")]


def test_an_error_in_a_turn_ends_it():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.of({"id": "a-1"}):
        raise ZeroDivisionError
    with turns.of({"id": "a-1"}) as is_newest:
        assert is_newest
    assert not turns._newest
