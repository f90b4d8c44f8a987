"""Photographs: their masks lie where the things are, by points that were looked at one by one."""

from pathlib import Path

import pytest

from tam_widget import demo
from tam_widget.demo.photographs import PHOTOS
from tam_widget.demo.scenery import things
from tam_widget.demo.scenery.things.catalogue import THINGS

# Of each thing, pixels (x, y) on it and beside it.
POINTS = {
    "camera": ("camera", [(230, 128), (215, 112)], [(180, 110), (229, 220), (60, 250)]),
    "cat": ("cat", [(150, 100), (230, 215), (50, 200), (320, 20)], [(10, 50), (380, 60), (340, 170)]),
    "coffee": ("cup", [(190, 100), (125, 60), (200, 180), (140, 190)], [(90, 150), (240, 195), (350, 100), (278, 55)]),
    "rocket": ("rocket", [(201, 90), (200, 160), (201, 240)], [(125, 150), (200, 60), (200, 262), (280, 150)]),
}


def test_every_photograph_is_looked_at():
    assert set(PHOTOS) == POINTS.keys()


@pytest.mark.parametrize("name", PHOTOS)
def test_a_mask_lies_where_its_thing_is(name):
    shown = demo.photo(name)
    thing, on, beside = POINTS[name]
    assert list(shown.masks) == [thing]
    assert thing in THINGS
    mask = shown.mask(thing)
    assert (shown.image.mode, shown.image.width) == ("RGB", 400)
    assert mask.shape == (shown.image.height, shown.image.width)
    assert all(mask[y, x] for x, y in on)
    assert not any(mask[y, x] for x, y in beside)
    assert shown.caption == f"There is a {thing}."
    assert shown.media == {"images": [shown.image]}
    with pytest.raises(KeyError, match=f"'saucer' in this photograph; there is: {thing}"):
        shown.mask("saucer")


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="no photograph 'dog'; there are camera, cat, coffee, rocket"):
        demo.photo("dog")


def test_the_notice_says_whose_they_are():
    notice = (Path(things.__file__).parent / "assets" / "NOTICE").read_text(encoding="utf-8")
    assert all(name in notice[notice.index("photographs.zip") :] for name in PHOTOS)
    assert "Stefan van der Walt" in notice
