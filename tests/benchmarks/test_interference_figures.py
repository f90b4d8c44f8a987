"""The figures of interference: what came before a word."""

from held_out_captions import found, split

from interference_figures.contexts import contexts_of
from tam_widget.demo.scenery.language import caption


def test_contexts_of_a_caption_with_and_without_adjectives():
    held = found("overlap", lambda held: held.staging.relation == "on")
    bare = split(caption(held.staging, adjectives=False))
    assert [one for one in contexts_of(bare, held) if one] == ["none", "other"]
    assert [one for one in contexts_of(split(held.scene.caption), held) if one] == [
        *("none", "own", "own"),
        *("other", "both", "both"),
    ]
