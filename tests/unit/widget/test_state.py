"""What the widget puts in its state: tokens, words, pictures and colour maps."""

import io

import numpy as np
import pytest
from hand_made_explanations import levels, map_of
from PIL import Image

from tam_widget.text.tokens import Token
from tam_widget.widget import TAMWidget, encode
from tam_widget.widget.colormaps import COLORMAPS, DIVERGING


def test_tokens_words_and_pictures(widget):
    assert [token["text"] for token in widget.tokens] == ["Go", "A", " st", "ar"]
    assert widget.tokens[0]["candidates"] == []
    assert widget.tokens[3]["candidates"] == [{"text": " star", "probability": 0.75, "rank": 1, "chosen": True}]
    assert widget.words == [(0, 1), (1, 2), (2, 4)]
    assert [picture["grid"] for picture in widget.pictures] == [(2, 3), (1, 4)]
    assert [picture["image"] for picture in widget.pictures] == [0, 1]
    assert {picture["frame"] for picture in widget.pictures} == {None}
    assert {picture["box"] for picture in widget.pictures} == {(0, 0, 1, 1)}


def test_a_video_is_its_frames_in_the_order_of_the_cells(film):
    widget = TAMWidget(film)
    places = [(one["image"], one["frame"], one["time"]) for one in widget.pictures]
    assert places == [(0, 0, 0.0), (0, 1, 0.5), (0, 2, 1.25), (1, None, None)]
    assert [one["grid"] for one in widget.pictures] == [(2, 3)] * 3 + [(2, 2)]
    assert [(one["width"], one["height"]) for one in widget.pictures] == [(512, 256)] * 3 + [(80, 60)]
    colours = [Image.open(io.BytesIO(one["data"])).getpixel((9, 9)) for one in widget.pictures[:3]]
    assert [int(np.argmax(colour)) for colour in colours] == [0, 1, 2]
    cells, _, _, _ = map_of(film, 3)
    sizes = [rows * columns for rows, columns in (one["grid"] for one in widget.pictures)]
    assert len(cells) == sum(sizes)
    assert levels(cells)[:18] == [round(k / 17 * 254) for k in range(18)]
    assert levels(cells)[18:] == [0] * 4


def test_a_box_is_told_in_shares_of_the_picture(film):
    *_, picture = TAMWidget(film).pictures
    assert picture["box"] == pytest.approx((1 / 8, -1 / 10, 6 / 8, 12 / 10))


def test_what_stands_between_two_texts_goes_along(explanation):
    assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", "", "", ""]
    explanation.tokens = (
        Token(0, "See this", 0, "prompt", 0, (0, 8)),
        Token(1, "What?", 1, "prompt", 0, (9, 14)),
        Token(2, "Yes", 2, "answer", 0, (0, 3)),
    )
    explanation.texts = {(0, "prompt"): "See this\nWhat?", (0, "answer"): "Yes"}
    assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", "\n", ""]


def test_bytes_of_one_character_leave_no_gap(explanation):
    explanation.tokens = tuple(Token(k, text, k, "prompt", 0, (0, 1)) for k, text in enumerate("\ufffd🙂"))
    explanation.texts = {(0, "prompt"): "🙂"}
    assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", ""]
    assert [token["text"] for token in encode.encode_tokens(explanation)] == ["\ufffd", "🙂"]
    assert [token["whole"] for token in encode.encode_tokens(explanation)] == ["", "🙂"]


def test_a_picture_is_shrunk_and_keeps_its_shape():
    noise = np.random.default_rng(0).integers(0, 255, (1500, 3000, 3), np.uint8)
    state = encode.encode_picture(Image.fromarray(noise), (4, 8), (0, 0, 3000, 1500), image=0)
    assert (state["width"], state["height"]) == (1024, 512)
    shown = Image.open(io.BytesIO(state["data"]))
    assert shown.size == (1024, 512)
    assert state["mime"] == "image/jpeg"


def test_a_small_picture_is_kept_to_the_pixel():
    image = Image.new("RGB", (40, 30), "red")
    image.paste("blue", (10, 10, 20, 20))
    state = encode.encode_picture(image, (3, 4), (0, 0, 40, 30), image=0)
    assert state["mime"] == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(state["data"]))), np.asarray(image))


def test_colour_maps_are_matplotlibs(widget):
    from matplotlib import colormaps

    assert list(widget.colormaps) == [*COLORMAPS, DIVERGING]
    table = np.frombuffer(widget.colormaps["jet"], np.uint8).reshape(256, 3)
    assert np.array_equal(table[77], np.array(colormaps["jet"](77, bytes=True))[:3])
