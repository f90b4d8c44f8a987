"""The figures of the demo models: wrong answers by what is taken for what, and tables."""

import pytest

from demo_model_figures import tables
from demo_model_figures.failures import confusion, failures


@pytest.mark.parametrize(
    ("said", "right", "named"),
    [
        ("The star is orange.", "The star is red.", "orange for red"),
        ("The star is at the top right.", "The star is at the top.", "right too much"),
        ("The star is at the top.", "The star is at the top left.", "left left out"),
        ("There are no stars.", "There is one star.", "are no stars for is one star"),
        ("A red star and a star.", "A blue star and a cross.", "red for blue, star for cross"),
        ("I only know simple shapes.", "The star is red.", "another sentence"),
        ("", "The star is red.", "another sentence"),
    ],
)
def test_what_is_taken_for_what(said, right, named):
    assert confusion(said, right) == named


def test_failures_are_grouped_and_few():
    wrong = {"asked": "colour", "prompt": "What color is it?", "said": "It is red.", "right": "It is blue."}
    right = {**wrong, "said": "It is blue."}
    rows = {"objects": [{"seed": seed, "answers": [wrong, right]} for seed in range(5)]}
    listed = failures(rows, 2)
    assert "colour, red for blue: 5" in listed
    assert listed.count("→") == 2


def test_tables_leave_out_what_was_not_asked():
    answers = [{"asked": "caption", "prompt": "", "said": "a", "right": "a"}]
    rows = {"objects": [{"seed": 0, "answers": answers}], "pair": [{"seed": 0, "answers": []}]}
    assert tables.accuracy(rows).splitlines()[-1] == "| caption | 1.000 |  | 1.000 | 1 |"
