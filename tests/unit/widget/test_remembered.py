"""What is set once holds for the widgets that come after."""

import numpy as np
import pytest
import traitlets
from made_explanation import make

import tam_widget as tam
from tam_widget import TAMWidget


@pytest.fixture
def widget():
    return TAMWidget(make())


def test_looks_that_a_page_sets_are_those_of_later_widgets(widget):
    earlier = TAMWidget(make())
    widget.set_state({"paint": "spotlight", "opacity": 0.4, "unit": "token"})
    later = TAMWidget(make(), unit="word")
    assert (later.paint, later.opacity, later.unit) == ("spotlight", 0.4, "word")
    assert (earlier.paint, earlier.opacity) == ("heat", 0.7)


def test_how_maps_are_computed_is_not_remembered_of_a_page(widget):
    widget.set_state({"causal_inference": False, "kernel_size": 5, "part": "raw", "pinned": [1]})
    later = TAMWidget(make())
    assert (later.causal_inference, later.kernel_size, later.part, later.pinned) == (True, 3, "map", [])
    assert repr(tam.settings) == "<settings: as at first>"


def test_what_is_refused_is_not_remembered(widget):
    with pytest.raises(traitlets.TraitError):
        widget.set_state({"opacity": 7})
    assert TAMWidget(make()).opacity == 0.7


def test_python_sets_any_of_them_until_they_are_reset():
    tam.settings.colormap = "jet"
    tam.settings.causal_inference = False
    widget = TAMWidget(make())
    assert (widget.colormap, widget.causal_inference) == ("jet", False)
    assert "jet" in widget.colormaps
    assert repr(tam.settings) == "<settings: colormap='jet', causal_inference=False>"
    tam.settings.reset()
    assert TAMWidget(make()).colormap == "inferno"


@pytest.mark.parametrize(("name", "value"), [("opacity", np.nan), ("paint", "oil"), ("kernel_size", 4)])
def test_wrong_values_are_refused(name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(tam.settings, name, value)


def test_a_name_that_is_no_setting_is_refused():
    with pytest.raises(AttributeError, match=r"no setting 'opactiy'; there are opacity, paint"):
        tam.settings.opactiy = 0.5
