"""Explanations in columns: titles, and what is linked."""

import pytest
from hand_made_explanations import FakeExplanation
from ipywidgets.widgets.widget import _instances
from ipywidgets.widgets.widget_link import Link

import tam_widget as tam


def named(name):
    explanation = FakeExplanation()
    explanation.model_name = name
    return explanation


@pytest.fixture
def columns():
    made = tam.compare([named("before"), named("after"), named("after")], opacity=0.5)
    yield made
    made.close()


def test_each_explanation_has_a_column_with_its_models_name(columns):
    assert [column.title for column in columns.children] == ["before", "after (1)", "after (2)"]
    assert {column.opacity for column in columns.children} == {0.5}
    assert all(isinstance(column, tam.TAMWidget) for column in columns.children)


def test_the_word_and_every_setting_are_linked_in_the_page(columns):
    links = [widget for widget in _instances.values() if isinstance(widget, Link)]
    ours = {
        (link.source[1], link.target[1])
        for link in links
        if link.source[0] in columns.children and link.target[0] in columns.children
    }
    assert ours == {(name, name) for name in ("focus", *tam.TAMWidget.setting_names())}


def test_titles_can_be_given():
    made = tam.compare([named("a"), named("a")], titles=["2B", "7B"])
    assert [column.title for column in made.children] == ["2B", "7B"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a title for each; got 0 and 0"):
        tam.compare([])
    with pytest.raises(ValueError, match="got 1 and 2"):
        tam.compare([named("a")], titles=["a", "b"])
    with pytest.raises(TypeError, match="unknown keyword opactiy"):
        tam.compare([named("a")], opactiy=1)
