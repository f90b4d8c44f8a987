"""The benchmark of the verdict's own errors, on one scene."""

from explained_scenes import demo_pair

import tam_widget as tam
import verdicts
from tam_widget.checks.verdict import KINDS


def test_the_cases_of_a_scene_and_their_table():
    found = list(verdicts.judged_scene(demo_pair(), 0))
    assert [(one.case, one.truth) for one in found] == [
        ("own", "needs its thing"),
        ("given", "not in the picture"),
        ("hidden", "not in the picture"),
    ]
    (thing,) = tam.demo.scene(0, objects=1).objects
    assert [one.verdict.text == thing.shape for one in found] == [True, False, True]
    assert found[0].on_thing
    assert found[1].verdict.source == "spoken from habit"
    lines = verdicts.table(found).splitlines()
    assert len(lines) == 2 + 3
    for line, one in zip(lines[2:], found, strict=True):
        case, truth, count, *kinds, on_thing = line.strip("| ").split(" | ")
        assert (case, truth, count, on_thing) == (one.case, one.truth, "1", str(int(one.on_thing)))
        assert kinds == [str(int(kind == one.verdict.kind)) for kind in KINDS]
