"""What can be set from Python, and what is refused: settings, tokens, a region."""

import pytest
import traitlets

from tam_widget.widget import TAMWidget
from tam_widget.widget.colormaps import colormap_table


def test_given_at_the_start(explanation):
    widget = TAMWidget(explanation, opacity=0.25, colormap="jet", smooth=False)
    assert (widget.opacity, widget.colormap, widget.smooth) == (0.25, "jet", False)


def test_an_unknown_keyword_names_the_valid_ones(explanation):
    with pytest.raises(TypeError, match=r"opactiy.*embed, title, opacity, paint, colormap, smooth"):
        TAMWidget(explanation, opactiy=0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("opacity", 1.5),
        ("opacity", -0.1),
        ("opacity", "half"),
        ("paint", "oil"),
        ("colormap", "rainbows"),
        ("smooth", "yes"),
        ("unit", "letter"),
        ("combine", "sum"),
        ("scale", "page"),
        ("display", "below"),
        ("tint", "blue"),
        ("contour", "yes"),
        ("threshold", 2.0),
        ("causal_inference", "no"),
        ("kernel_size", 4),
        ("kernel_size", 0),
        ("part", "rest"),
    ],
)
def test_a_wrong_value_is_refused(explanation, widget, name, value):
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError):
        setattr(widget, name, value)
    assert getattr(widget, name) == before
    with pytest.raises(traitlets.TraitError):
        TAMWidget(explanation, **{name: value})


def test_the_error_names_the_choices(widget):
    with pytest.raises(traitlets.TraitError, match=r"'rainbows'.*inferno.*jet"):
        widget.colormap = "rainbows"


def test_any_colour_map_of_matplotlib_will_do(widget):
    widget.colormap = "coolwarm"
    assert widget.colormaps["coolwarm"] == colormap_table("coolwarm")


def test_the_state_is_not_for_changing(widget):
    with pytest.raises(traitlets.TraitError):
        widget.tokens = []


def test_tokens_are_pinned_from_python(widget):
    widget.pinned = [3, 2, 3]
    assert widget.pinned == [2, 3]
    widget.selected = [1]
    assert widget.selected == [1]


@pytest.mark.parametrize("name", ["pinned", "selected"])
@pytest.mark.parametrize("value", [[4], [-1], ["a"], 3])
def test_a_token_that_is_not_there_is_refused(widget, name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(widget, name, value)
    assert getattr(widget, name) == []


def test_a_region_is_asked_about_from_python(film):
    widget = TAMWidget(film)
    widget.region = {"image": 0, "frame": 2, "box": (0, 0.25, 1, 0.5)}
    assert widget.region == {"image": 0, "frame": 2, "box": [0.0, 0.25, 1.0, 0.5]}
    widget.region = None
    assert widget.region is None


@pytest.mark.parametrize(
    "region",
    [
        {"image": 0},
        {"image": 5, "frame": None, "box": (0, 0, 1, 1)},
        {"image": 0, "frame": 1, "box": (0, 0, 1, 1)},
        {"image": 0, "frame": None, "box": (0.5, 0, 0.25, 1)},
        {"image": 0, "frame": None, "box": (0, 0, 1, 2)},
    ],
)
def test_a_region_that_is_not_there_is_refused(widget, region):
    with pytest.raises(traitlets.TraitError, match=r"a region is|a box is"):
        widget.region = region


def test_what_the_page_sets_can_be_observed(widget):
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "selected")
    widget.set_state({"selected": [2, 3]})
    assert seen == [[2, 3]]
