"""Whatever a trait is set to, from Python or from the page: it is taken whole, or refused with a TraitError."""

import json
import logging
import math

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from made_explanation import make

import tam_widget as tam

OURS = ["title", "tooltip", "selected", "pinned", "region", "focus", *tam.TAMWidget.setting_names()]
FIXED = ["tokens", "words", "pictures", "maps", "colormaps"]


class Unruly:
    """Equal to everything, and not fit to be shown."""

    def __eq__(self, other):
        return True

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no name")


numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from([0, 1, 0.5, 3, 10**400, math.nan, math.inf, 5e-324]),
)
texts = st.one_of(
    st.text(max_size=4), st.sampled_from(["\ud800", "jet", "word", "max", "side", "answer", "raw", "probability"])
)
boxes = st.lists(st.one_of(st.sampled_from([0, 0.25, 1, 1.0]), numbers, texts), min_size=3, max_size=5)
regions = st.fixed_dictionaries(
    {
        "image": st.one_of(st.sampled_from([0, 1]), numbers, st.lists(numbers, max_size=1)),
        "frame": st.one_of(st.none(), numbers),
        "box": st.one_of(boxes, numbers, texts, st.dictionaries(texts, numbers, max_size=4)),
    },
    optional={"more": numbers},
)
from_page = st.recursive(
    st.one_of(st.none(), numbers, texts, regions, st.tuples(texts, numbers).map(list)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
from_python = st.one_of(
    from_page,
    st.builds(Unruly),
    st.lists(st.builds(Unruly), max_size=2),
    st.sampled_from(
        [np.array([1, 2]), np.float32(0.5), np.int64(1), np.nan, b"word", b"\xff", {1: 2}, (0, 1), object()]
    ),
    st.fixed_dictionaries({"image": st.just(0), "frame": st.none(), "box": st.just(np.array([0, 0, 1, 1]))}),
)


@pytest.fixture(scope="module")
def widgets():
    """One to set, and one that says what Python would take."""
    logging.disable(logging.CRITICAL)
    made = make().widget(), make().widget()
    yield made
    logging.disable(logging.NOTSET)
    for widget in made:
        widget.close()


def holds_what_python_takes(widget, judge):
    for name in OURS:
        value = getattr(widget, name)
        setattr(judge, name, value)
        assert json.dumps(getattr(judge, name)) == json.dumps(value, allow_nan=False)
        json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", [*OURS, *FIXED])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(value=from_python)
def test_from_python(widgets, name, value):
    widget, judge = widgets
    before = widget.get_state()
    try:
        setattr(widget, name, value)
    except traitlets.TraitError:
        assert widget.get_state() == before
    else:
        assert name not in FIXED
    holds_what_python_takes(widget, judge)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(state=st.dictionaries(st.sampled_from([*OURS, *FIXED]), from_page, min_size=1, max_size=3))
def test_from_the_page(widgets, state):
    widget, judge = widgets
    before = widget.get_state()
    try:
        widget.set_state(dict(state))
    except traitlets.TraitError:
        now = widget.get_state()
        assert now == before
    for name in FIXED[:-1]:
        assert getattr(widget, name) is before[name]
    holds_what_python_takes(widget, judge)


@pytest.mark.parametrize("state", [None, [], "opacity", 7])
def test_a_state_that_is_none(widgets, state):
    with pytest.raises(traitlets.TraitError, match="a mapping"):
        widgets[0].set_state(state)


def test_the_page_cannot_set_what_the_widget_is_made_of(widgets):
    widget, _ = widgets
    names = ["_esm", "_css", "_view_name", "_model_module", "layout", "comm", "keys", "nothing"]
    before = widget.get_state()
    widget.set_state({**dict.fromkeys(names, "x"), **{name: [] for name in FIXED}, "opacity": 0.125})
    assert widget.get_state() == before | {"opacity": 0.125}


def test_the_page_is_told_what_holds_instead_of_what_it_sent(widgets, monkeypatch):
    widget, _ = widgets
    widget.opacity, widget.threshold = 0.25, None
    sent = []
    monkeypatch.setattr(widget.comm, "send", lambda data, buffers: sent.append(data))
    with pytest.raises(traitlets.TraitError):
        widget.set_state({"opacity": 0.75, "threshold": math.nan})
    assert sent[-1]["method"] == "update"
    assert sent[-1]["state"] == {"opacity": 0.25, "threshold": None}


def test_a_box_of_three_numbers_is_taken_back(widgets):
    widget, _ = widgets
    widget.region = whole = {"image": 0, "frame": None, "box": [0, 0, 1, 1]}
    with pytest.raises(traitlets.TraitError, match="a box is"):
        widget.set_state({"region": {"image": 0, "frame": None, "box": [0, 0, 1]}})
    assert widget.region == whole


@pytest.mark.parametrize("name", ["opacity", "kernel_size", "focus", "pinned", "region", "unit"])
def test_a_number_too_long_to_be_shown_is_refused(widgets, name):
    huge = 10**5000 + 1
    for value in (huge, [huge], ["a", huge], {"image": huge, "frame": None, "box": [0, 0, 1, 1]}):
        with pytest.raises(traitlets.TraitError):
            setattr(widgets[0], name, value)


def test_numpys_numbers_are_numbers(widgets):
    widget, _ = widgets
    widget.opacity, widget.pinned, widget.kernel_size = np.float32(0.5), [np.int64(1)], np.int64(5)
    state = [widget.opacity, widget.pinned, widget.kernel_size]
    assert json.dumps(state) == "[0.5, [1], 5]"


@pytest.mark.parametrize("keyword", [{"layout": {"width": "50%"}}, {"tooltip": "a map"}, {"tabbable": True}])
def test_what_ipywidgets_takes_for_any_widget_is_taken(keyword):
    widget = make().widget(**keyword)
    ((name, value),) = keyword.items()
    assert (widget.layout.width if name == "layout" else getattr(widget, name)) == (
        "50%" if name == "layout" else value
    )
    widget.close()
