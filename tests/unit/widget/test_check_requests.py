"""A check that the page asks for: in slices, so that a hover is answered in between and a page may give it up."""

import gc

import pytest
import tiny_models

import tam_widget as tam
from tam_widget.widget import requests
from tam_widget.widget.requests import answer

METHOD = {"causal_inference": True, "kernel_size": 3, "part": "map"}


def asking(*tokens, **more):
    return {"id": "c", "type": "check", "tokens": list(tokens), "method": METHOD} | more


@pytest.fixture(scope="module")
def asked():
    """A model, its processor, and what it says of a picture."""
    model, processor = tiny_models.build(), tiny_models.processor()
    picture = tiny_models.picture(box=(8, 8, 24, 24))
    return model, processor, tam.explain(model, processor, picture, "Describe it.", answer="A red star.")


def test_the_verdict_comes_in_slices_and_nothing_is_run_twice(asked, monkeypatch):
    model, _, ex = asked
    monkeypatch.setattr(requests, "_SECONDS", 0)
    token = ex.find("star")[0]
    passes, shares = [], []
    hook = model.register_forward_hook(lambda *_: passes.append(1))
    while (reply := answer(ex, asking(token))[0])["type"] == "later":
        shares.append(reply["share"])
    hook.remove()
    expected = ex.check(token)
    assert reply["sentence"] == expected.sentence
    assert [tuple(cost.values()) for cost in reply["costs"]] == list(expected.costs)
    assert len(passes) == 21
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


def test_another_word_or_another_way_to_read_maps_begins_anew(asked, monkeypatch):
    _, _, ex = asked
    monkeypatch.setattr(requests, "_SECONDS", 0)
    star, red = ex.find("star")[0], ex.find("red")[0]
    for _ in range(4):
        later, _ = answer(ex, asking(star))
    for request in (asking(red), asking(star, method=METHOD | {"kernel_size": 1})):
        again, _ = answer(ex, request)
        assert again["share"] < later["share"]


def test_the_page_is_told_what_stands_in_the_way(asked):
    _, _, ex = asked
    problem = answer(ex, asking(0))[0]["error"]
    assert problem["type"] == "CheckError"
    assert "is the prompt's" in problem["message"]
    assert answer(ex, asking())[0]["error"]["type"] == "TypeError"
    assert answer(ex, asking(999))[0]["error"]["type"] == "TokenIndexError"
    model, processor = tiny_models.build(), tiny_models.processor()
    gone = tam.explain(model, processor, tiny_models.picture(), "Describe it.", answer="A red star.")
    answer(gone, asking(gone.find("star")[0]))  # what is under way keeps no model either
    del model
    gc.collect()
    problem = answer(gone, asking(gone.find("star")[0]))[0]["error"]
    assert problem["type"] == "ModelGoneError"
    assert "explain again" in problem["message"]
