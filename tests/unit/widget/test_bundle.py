"""The bundle as it is shipped."""

import re
from pathlib import Path

import tam_widget

STATIC = Path(tam_widget.__file__).parent / "widget/static"


def test_is_small():
    # Each widget in a saved notebook carries them.
    assert (STATIC / "widget.js").stat().st_size <= 66_000
    assert (STATIC / "widget.css").stat().st_size <= 13_000


def test_needs_nothing_from_anywhere():
    text = (STATIC / "widget.js").read_text() + (STATIC / "widget.css").read_text()
    assert not re.search(
        r"https?://|\bimport\b|@import|url\(|eval\(|innerHTML|insertAdjacentHTML|document\.write", text
    )
