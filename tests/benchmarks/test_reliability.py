"""A little of what the reliability benchmarks do at length: the same code, and nothing stays behind."""

import logging

import pytest

import tam_widget as tam
from reliability import hostile, lifetime, reruns


@pytest.fixture(scope="module")
def ex():
    model, processor = tam.load_demo()
    scene = tam.demo.scene(seed=hostile.SEED)
    return tam.explain(model, processor, scene.image, scene.prompt)


@pytest.fixture
def quiet():
    logging.disable(logging.CRITICAL)  # ipywidgets logs every value that is refused
    yield
    logging.disable(logging.NOTSET)


def test_no_explanation_stays_behind():
    happened = lifetime.explains(5)["happened"]
    assert (happened["alive"], happened["left on the model"]) == (0, 0)


def test_no_widget_stays_behind():
    happened = lifetime.displays(5)["happened"]
    assert (happened["alive"], happened["widgets and comms left"], happened["widgets of one explanation"]) == (0, 0, 1)


def test_a_cell_that_runs_again_keeps_one_widget():
    with reruns.kernel() as client:
        for before, ending in enumerate(("display(ex)", "display(ex.widget())")):
            happened = reruns.rerun(client, 10, ending)["happened"]
            assert happened["widgets"] == happened["comms"] == [2 + 2 * before] * 2  # each with its layout
            assert happened["explanations"] == [1, 1]
        happened = reruns.rerun(client, 10, "ex")["happened"]
        assert happened["explanations"] == [1 + 1, 10 + 1]  # IPython's Out keeps them, and the cell above shows one
        assert happened["explanations after %reset out"] <= 3 + 1  # IPython's last three results outlast it


@pytest.mark.skipif(not hasattr(lifetime.signal, "setitimer"), reason="no timer sends signals here")
def test_ctrl_c_leaves_nothing():
    happened = lifetime.interrupts(8)["happened"]
    assert (happened["left something"], happened["next result differs"]) == (0, 0)


def test_threads_get_what_one_gets():
    assert set(lifetime.threads(80)["happened"].values()) == {0}


def test_every_request_has_one_answer(ex, quiet):
    happened = hostile.messages(ex, 1000)["happened"]
    assert happened.pop("answered with an error") > 300
    assert set(happened.values()) == {0}


def test_a_page_sets_what_python_could(ex, quiet):
    happened = hostile.updates(ex, 500)["happened"]
    assert min(happened.pop("taken as a whole"), happened.pop("refused")) > 100
    assert set(happened.values()) == {0}
