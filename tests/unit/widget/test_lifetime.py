"""How long a widget lives, and what it keeps: nothing that was shown outlives what still refers to it."""

import gc
import os
import subprocess
import sys
import weakref

import comm
import ipywidgets
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from made_explanation import make

import tam_widget as tam
from tam_widget.widget import outputs


@pytest.fixture(autouse=True)
def nothing_shown_before():
    outputs._SHOWN.clear()
    outputs._LOOSE.clear()
    gc.collect()


@pytest.fixture
def cell(monkeypatch):
    """A function that says which cell runs from now on, as a notebook's kernel knows it."""
    runs = 0

    def start(cell_id, code="display(ex)"):
        nonlocal runs
        runs += 1
        metadata = {} if cell_id is None else {"cellId": cell_id}
        parent = {"header": {"msg_id": str(runs)}, "metadata": metadata, "content": {"code": code}}
        shell = type("Shell", (), {"get_parent": lambda _: parent})()
        monkeypatch.setattr("IPython.get_ipython", lambda: shell)

    return start


def shown(ex):
    """Show an explanation as a notebook does; return the widget's id."""
    data, _ = ex._repr_mimebundle_()
    return data["application/vnd.jupyter.widget-view+json"]["model_id"]


def asked(widget, monkeypatch):
    """Ask an open widget for a map, as the page does; return its reply."""
    sent = []
    monkeypatch.setattr(tam.TAMWidget, "send", lambda _self, content, _buffers: sent.append(content))
    method = {"causal_inference": True, "kernel_size": 3, "part": "map"}
    request = {"id": "a", "type": "map", "tokens": [2], "combine": "mean", "candidate": None, "method": method}
    widget._handle_custom_msg(request, [])
    return sent[0]


class TestFreed:
    def test_a_closed_widget_frees_everything_by_reference_count(self):
        before = (len(_instances), len(comm.get_comm_manager().comms))
        ex = make()
        widget = ex.widget()
        gone = [weakref.ref(one) for one in (ex, widget, widget.layout, ex._bank._activations.states)]
        assert len(_instances) == before[0] + 2
        gc.disable()
        try:
            widget.close()
            del widget, ex
            assert [one() for one in gone] == [None] * 4
        finally:
            gc.enable()
        assert (len(_instances), len(comm.get_comm_manager().comms)) == before

    def test_a_closed_widget_does_not_keep_the_explanation(self):
        ex = make()
        widget = ex.widget()
        widget.pinned = [1]
        widget.close()
        gone = weakref.ref(ex)
        del ex
        assert gone() is None
        assert (widget.pinned, repr(widget)) == ([1], "TAMWidget(closed)")
        widget.close()

    def test_a_widget_that_was_never_shown_needs_no_close(self):
        before = len(_instances)
        ex = make()
        widget = ex.widget()
        gone = weakref.ref(ex)
        del ex
        assert gone() is widget._kept  # it keeps the explanation
        assert gone() is not None
        del widget
        gc.collect()
        assert gone() is None
        assert len(_instances) == before

    def test_an_explanation_that_was_shown_is_freed_when_it_is_deleted(self):
        ex = make()
        shown(ex)
        gone = [weakref.ref(ex), weakref.ref(ex._bank._activations.states)]
        del ex
        assert [one() for one in gone] == [None, None]

    def test_a_layout_of_the_callers_stays_open(self):
        layout = ipywidgets.Layout(width="50%")
        widgets = [make().widget(layout=layout) for _ in range(2)]
        widgets[0].close()
        assert layout.comm is not None
        assert widgets[1].layout is layout
        widgets[1].close()
        layout.close()

    def test_a_setting_that_is_refused_leaves_nothing_behind(self):
        before = len(_instances)
        ex = make()
        with pytest.raises(traitlets.TraitError):
            ex.widget(opacity=2, layout={"width": "50%"})
        with pytest.raises(traitlets.TraitError):
            ex.widget(layout="wide")
        gc.collect()
        assert len(_instances) == before

    def test_a_page_that_closes_the_comm_closes_the_widget(self):
        ex = make()
        first = shown(ex)
        manager = comm.get_comm_manager()
        manager.comm_close(None, None, {"content": {"comm_id": first, "data": {}}})
        assert first not in _instances
        assert shown(ex) != first

    def test_columns_are_freed_together(self):
        before = len(_instances)
        explanations = [make(seed=seed) for seed in range(3)]
        gone = [weakref.ref(ex) for ex in explanations]
        columns = tam.compare(explanations)
        columns._repr_mimebundle_()
        del explanations
        columns.close()
        gc.collect()
        assert [ex() for ex in gone] == [None] * 3
        del columns
        gc.collect()
        assert len(_instances) == before

    def test_columns_that_were_never_shown_need_no_close(self):
        before = len(_instances)
        columns = tam.compare([make(), make()])
        first = columns.children[0]
        del columns
        gc.collect()
        assert first.comm is not None  # somebody still has it
        assert len(_instances) == before + 2
        first.close()


class TestShown:
    def test_one_widget_for_an_explanation(self, monkeypatch):
        ex, other = make(), make()
        first = shown(ex)
        assert shown(ex) == first
        assert shown(other) != first
        assert asked(_instances[first], monkeypatch)["type"] == "map"
        _instances[first].close()
        assert shown(ex) != first

    def test_of_an_explanation_that_is_gone_the_page_keeps_what_came_along(self, monkeypatch):
        ex = make()
        widget = _instances[shown(ex)]
        maps = widget.maps
        del ex
        assert widget.comm is not None
        assert widget.maps == maps
        assert maps is not None
        reply = asked(widget, monkeypatch)
        assert reply["error"]["type"] == "ExplanationGoneError"
        assert "run its cell again" in reply["error"]["message"]
        assert "its explanation is gone" in widget.__repr__()  # the registry's is a proxy, with a repr of its own

    def test_a_widget_that_is_shown_lives_on_without_a_name(self, cell, monkeypatch):
        cell("a")
        widget = make().widget()
        widget._repr_mimebundle_()
        name = widget.model_id
        del widget
        gc.collect()
        assert asked(_instances[name], monkeypatch)["type"] == "map"

    @pytest.mark.parametrize("cell_id", ["a", None], ids=["cells with ids", "cells known by their text"])
    @pytest.mark.parametrize("kind", ["explanation", "widget"])
    def test_what_a_cell_showed_goes_when_it_runs_again(self, cell, cell_id, kind):
        before = len(_instances)
        gone = []
        for _ in range(5):
            cell(cell_id)
            for _ in range(2):
                ex = make()
                gone.append(weakref.ref(ex))
                (ex if kind == "explanation" else ex.widget())._repr_mimebundle_()
            del ex
        gc.collect()
        assert len(_instances) == before + 2 * 2  # of the last run, each with its layout
        assert [one() is None for one in gone[:-2]] == [True] * 8
        assert [one() is None for one in gone[-2:]] == [kind == "explanation"] * 2

    def test_another_cell_goes_on_showing_it(self, cell):
        cell("a")
        ex = make()
        first = shown(ex)
        cell("b")
        assert shown(ex) == first
        cell("a")
        ex = make()
        second = shown(ex)
        assert first in _instances
        cell("b")
        assert shown(ex) == second
        gc.collect()
        assert first not in _instances

    def test_a_page_that_is_loaded_again_is_given_every_open_widget(self):
        ex = make()
        first, own = shown(ex), ex.widget()
        sent = []
        control = type("Control", (), {"send": lambda _self, data, buffers: sent.append(data)})()
        ipywidgets.Widget._control_comm = control
        try:
            ipywidgets.Widget._handle_control_comm_msg({"content": {"data": {"method": "request_states"}}})
        finally:
            ipywidgets.Widget._control_comm = None
        assert {first, own.model_id, own.layout.model_id} <= sent[0]["states"].keys()
        assert sent[0]["states"][first]["state"]["tokens"] == own.tokens
        own.close()

    def test_what_is_shown_again_by_the_same_cell_stays(self, cell):
        widget = make().widget()
        for _ in range(3):
            cell("a")
            widget._repr_mimebundle_()
            assert widget.comm is not None
        widget.close()
        assert outputs._SHOWN["a"][1] == []

    def test_outside_of_cells_only_the_latest_are_kept(self, monkeypatch):
        monkeypatch.setattr(outputs, "_LOOSE", type(outputs._LOOSE)(maxlen=3))
        before = len(_instances)
        for _ in range(10):
            make().widget()._repr_mimebundle_()
        gc.collect()
        assert len(_instances) == before + 3 * 2


def test_the_bundle_is_reloaded_as_it_changes_where_a_developer_asks_for_it():
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from made_explanation import make; from tam_widget import TAMWidget\n"
        "widget = make().widget(); TAMWidget._esm.changed.emit('changed'); print(widget._esm)"
    )
    run = [sys.executable, "-c", code]
    path = os.pathsep.join(sys.path)
    hot = subprocess.run(
        run, env={**os.environ, "PYTHONPATH": path, "ANYWIDGET_HMR": "1"}, capture_output=True, text=True, check=True
    )
    assert hot.stdout == "changed\n"
    assert isinstance(tam.TAMWidget._esm, str)
