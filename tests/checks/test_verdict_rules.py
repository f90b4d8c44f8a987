"""The rules, on log-probabilities that are given."""

import math

import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from tam_widget.checks.answer import Verdicts
from tam_widget.checks.verdict import KINDS, Bars, Verdict
from tam_widget.replay.covers import Covers

PLACE = np.zeros((4, 4), bool)
PLACE[0, 0] = True
ELSEWHERE = tuple(np.roll(PLACE, k + 1) for k in range(8))


def verdict(place=(0.0, 0.0), random=0.0, whole=(0.0, 0.0), swapped=None, original=-1.0):
    """A verdict on a word that loses so many nats; of the random places all but one lose nothing."""
    lost = np.zeros((8, 2))
    lost[3] = random
    bars = Bars(
        original,
        None if place is None else tuple(original - one for one in place),
        original - (lost if place is not None else lost[:0]),
        tuple(original - one for one in whole),
        None if swapped is None else original - swapped,
    )
    covers = Covers(Image.new("RGB", (40, 40), "red"), (4, 4), (0, 0, 40, 40))
    has = place is not None
    other = Image.new("RGB", (8, 8)) if swapped is not None else None
    return Verdict("star", (3,), bars, 0, PLACE if has else None, ELSEWHERE if has else (), covers, other)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"place": (2, 1)}, "needs this place"),
        ({"place": (1.1, 0), "whole": (3, 3)}, "needs this place"),
        ({"place": (2, 1), "random": 1.6}, "the words before are enough"),
        ({"place": (2, 1), "random": 1.6, "whole": (3, 3)}, "needs the picture"),
        ({"place": (0.5, 0.5)}, "the words before are enough"),
        ({"place": (0.5, 0.5), "whole": (0.9, 0.3)}, "needs the picture"),
        ({"whole": (0.5, 0.5)}, "the words before are enough"),
        ({"whole": (-0.9, -0.3)}, "more likely without it"),
        ({"place": (-0.9, -0.3)}, "more likely without it"),
        ({"place": (-0.9, -0.3), "random": -0.7}, "the words before are enough"),
        ({"place": (-0.9, -0.3), "whole": (3, 3)}, "needs the picture"),
        ({"place": None, "whole": (3, 3)}, "needs the picture"),
        ({"place": None}, "the words before are enough"),
        ({"place": None, "whole": (-1, -1)}, "more likely without it"),
    ],
)
def test_the_first_rule_that_holds_says_the_kind(given, kind):
    found = verdict(**given)
    assert found.kind == kind
    assert found.source == ("visual" if kind in KINDS[:2] else "spoken from habit")
    assert "nan" not in found.sentence


def test_what_is_lost_is_the_mean_of_both_covers_and_lies_between_them():
    found = verdict(place=(3.0, 1.0), random=0.5, whole=(4.0, 5.0))
    assert (found.lost.nats, found.lost.low, found.lost.high) == (2, 1, 3)
    assert float(found.whole) == 4.5
    np.testing.assert_allclose(found.random, [0, 0, 0, 0.5, 0, 0, 0, 0])
    assert found.visual == pytest.approx(1 - math.exp(-4.5))
    assert verdict(whole=(-1, -1)).visual == 0
    assert math.isnan(verdict(place=None).lost.nats)


def test_a_verdict_is_told_in_one_line():
    assert repr(verdict(place=(-0.001, -0.002), whole=(4, 5))) == (
        "<Verdict on 'star': needs the picture; loses 0.00 nats [0.00, 0.00] with its place, "
        "4.50 nats [4.00, 5.00] with everything covered>"
    )
    assert "its map marks no place" in repr(verdict(place=None))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"place": (3, 1), "random": 0.4},
            "“star” needs this place: covering it costs 2.0 nats, any other of its size at most 0.4.",
        ),
        (
            {"place": (0, 0), "whole": (3, 3)},
            (
                "“star” needs the picture, not this place alone: covering everything costs 3.0 nats, this place costs "
                "nothing."
            ),
        ),
        (
            {"place": None, "whole": (3, 3)},
            "“star” needs the picture, though its map marks no place: covering everything costs 3.0 nats.",
        ),
        ({}, "For “star” the words before are enough: covering everything costs nothing."),
        (
            {"whole": (-1, -1), "swapped": 2.0},
            (
                "“star” would be more likely without the picture: covering it gains 1.0 nats. "
                "The other picture costs 2.0 nats."
            ),
        ),
        ({"place": (-1, -1)}, "“star” would be more likely without this place: covering it gains 1.0 nats."),
    ],
)
def test_the_sentence(given, sentence):
    assert verdict(**given).sentence == sentence


def test_the_pictures_show_what_was_covered():
    found = verdict(place=(3, 1), random=0.4, swapped=1.0)
    found.covers.medium.putpixel((5, 5), (0, 0, 255))
    shown = found.pictures
    assert list(shown) == [
        "original",
        "place, mean colour",
        "place, blurred",
        "random place, mean colour",
        "everything, mean colour",
        "everything, blurred",
        "swapped",
    ]
    assert shown["original"].getpixel((5, 5)) == (0, 0, 255)
    assert shown["place, mean colour"].getpixel((5, 5)) == (255, 0, 0)
    assert shown["random place, mean colour"].getpixel((5, 5)) == (0, 0, 255)  # the worst of them, elsewhere
    assert not any("place" in name for name in verdict(place=None).pictures)


@pytest.mark.parametrize("given", [{"place": (3, -1), "swapped": 1.0}, {"place": None}])
def test_the_figure_holds_pictures_sentence_and_every_cost(given):
    found = verdict(**given)
    figure = found.plot()
    texts = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert found.sentence in " ".join(texts.split())
    assert len(figure.axes) == 1 + len(found.pictures)
    assert texts.count("nats") - found.sentence.count("nats") == (7 if given["place"] else 2)


def test_an_answer_counts_kinds_and_says_what_chance_would_give():
    judged = [verdict(place=(2, 1)), verdict(random=0.9), verdict(), verdict(place=None)]
    found = Verdicts(judged, "star " * 5, [(5 * k, 5 * k + 4) for k in range(5)])
    assert found.counts == dict(zip(KINDS, (1, 0, 3, 0), strict=True))
    assert found.by_chance == pytest.approx(2 / 9 / 4)  # two of four words have a place of nine that costs something
    assert not found.is_complete
    assert "4 of 5 words, interrupted" in repr(found)
    assert "6%" in repr(found)
    assert [one.kind for one in found[:2]] == ["needs this place", "the words before are enough"]
    assert math.isnan(Verdicts([], "star", [(0, 4)]).by_chance)


def test_the_figure_of_an_answer_tints_words_by_the_pictures_share_and_names_each_verdict():
    judged = [verdict(place=(2, 1), whole=(6, 6)), verdict(), verdict(whole=(-1, -1))]
    found = Verdicts(judged, "A red star is a star.", [(2, 5), (6, 10), (16, 20), (20, 21)])
    (page,) = found.plot().axes
    texts = [text.get_text() for text in page.texts]
    said = " ".join("".join(f" {text} " for text in texts).split())
    assert said.startswith("A red star is a star .")
    assert [texts.count(one.kind) for one in judged] == [1, 1, 1]
    tinted = [patch for patch in page.patches if isinstance(patch, FancyBboxPatch)]
    assert [patch.get_alpha() for patch in tinted] == [pytest.approx(judged[0].visual)]
    assert len(Verdicts([], "star", [(0, 4)]).plot().axes) == 1
