"""A widget without a model."""

import pytest
from hand_made_explanations import FakeExplanation, FakeFilm

from tam_widget.widget import TAMWidget


@pytest.fixture
def film():
    return FakeFilm()


@pytest.fixture
def explanation():
    return FakeExplanation()


@pytest.fixture
def widget(explanation):
    made = TAMWidget(explanation)
    yield made
    made.close()
