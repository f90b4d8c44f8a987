"""The widget's Python side: what it puts in its state, how it answers, what it refuses."""

import io
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from tam_widget.tokens import Candidate, Token, Word
from tam_widget.videos import Video
from tam_widget.widget import TAMWidget, encode, protocol
from tam_widget.widget.colormaps import COLORMAPS, colormap_table
from tam_widget.widget.requests import answer

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "tam_widget/widget/static"


class FakeExplanation:
    """Two pictures, four tokens; the second picture is seen from token 2 on."""

    def __init__(self, size=(8, 6)):
        chosen = Candidate(" star", 9, 0.75, 1, chosen=True)
        texts = [("prompt", "Go"), ("answer", "A"), ("answer", " st"), ("answer", "ar")]
        self.tokens = tuple(
            Token(i, text, i, role, 0, span, (chosen,) if role == "answer" else ())
            for i, ((role, text), span) in enumerate(zip(texts, [(0, 2), (0, 1), (1, 4), (4, 6)], strict=True))
        )
        self._texts = {(0, "prompt"): "Go", (0, "answer"): "A star"}
        self.words = tuple(Word("", self.tokens[a:b]) for a, b in ((0, 1), (1, 2), (2, 4)))
        self.images = (Image.new("RGB", size, "red"), Image.new("RGB", size, "blue"))
        self.grids = ((2, 3), (1, 4))
        self.boxes = ((0, 0, *size),) * 2
        self.asked = []

    def heatmap(self, token, candidate=None, image=0):
        self.asked.append((token, candidate, image))
        if token >= len(self.tokens):
            raise IndexError(f"token {token} is out of range")
        rows, columns = self.grids[image]
        if token < 2 and image == 1:
            return np.full((rows, columns), np.nan, np.float32)
        if token == 0:
            return np.zeros((rows, columns), np.float32)
        scale = 1e-4 if candidate is None else 1e-2
        return (np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) + 10 * image) * np.float32(scale)

    def relevance(self, token, candidate=None):
        return np.linspace(0, 1, token, dtype=np.float32)

    def maps(self):
        relevance = np.zeros((4, 4), np.float32)
        for i in range(4):
            relevance[i, :i] = self.relevance(i)
        images = tuple(np.stack([self.heatmap(i, image=k) for i in range(4)]) for k in range(2))
        return SimpleNamespace(images=images, relevance=relevance)


class FakeFilm(FakeExplanation):
    """A video of three frames, 2 × 3 cells each, and then a picture of which the model saw the middle."""

    def __init__(self):
        super().__init__()
        frames = tuple(Image.new("RGB", (1200, 600), colour) for colour in ("red", "green", "blue"))
        self.images = (Video(frames, (0.0, 0.5, 1.25)), Image.new("RGB", (80, 60)))
        self.grids = ((3, 2, 3), (2, 2))
        self.boxes = ((0, 0, 1200, 600), (10, -6, 70, 66))

    def heatmap(self, token, candidate=None, image=0):
        if token == 0:
            return np.full(self.grids[image], np.nan, np.float32)
        count = int(np.prod(self.grids[image]))
        return np.arange(count, dtype=np.float32).reshape(self.grids[image]) / 17 * (1 - image)


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


def levels(data):
    return list(np.frombuffer(data, np.uint8))


class TestState:
    def test_tokens_words_and_pictures(self, widget):
        assert [token["text"] for token in widget.tokens] == ["Go", "A", " st", "ar"]
        assert widget.tokens[0]["candidates"] == []
        assert widget.tokens[3]["candidates"] == [{"text": " star", "probability": 0.75, "rank": 1, "chosen": True}]
        assert widget.words == [(0, 1), (1, 2), (2, 4)]
        assert [picture["grid"] for picture in widget.pictures] == [(2, 3), (1, 4)]
        assert [picture["image"] for picture in widget.pictures] == [0, 1]
        assert {picture["frame"] for picture in widget.pictures} == {None}
        assert {picture["box"] for picture in widget.pictures} == {(0, 0, 1, 1)}

    def test_a_video_is_its_frames_in_the_order_of_the_cells(self, film):
        widget = TAMWidget(film)
        places = [(one["image"], one["frame"], one["time"]) for one in widget.pictures]
        assert places == [(0, 0, 0.0), (0, 1, 0.5), (0, 2, 1.25), (1, None, None)]
        assert [one["grid"] for one in widget.pictures] == [(2, 3)] * 3 + [(2, 2)]
        assert [(one["width"], one["height"]) for one in widget.pictures] == [(512, 256)] * 3 + [(80, 60)]
        colours = [Image.open(io.BytesIO(one["data"])).getpixel((9, 9)) for one in widget.pictures[:3]]
        assert [int(np.argmax(colour)) for colour in colours] == [0, 1, 2]
        cells, _, _, _ = encode.encode_map(film, 3)
        sizes = [rows * columns for rows, columns in (one["grid"] for one in widget.pictures)]
        assert len(cells) == sum(sizes)
        assert levels(cells)[:18] == [round(k / 17 * 254) for k in range(18)]
        assert levels(cells)[18:] == [0] * 4

    def test_a_box_is_told_in_shares_of_the_picture(self, film):
        *_, picture = TAMWidget(film).pictures
        assert picture["box"] == pytest.approx((1 / 8, -1 / 10, 6 / 8, 12 / 10))

    def test_what_stands_between_two_texts_goes_along(self, explanation):
        assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", "", "", ""]
        explanation.tokens = (
            Token(0, "See this", 0, "prompt", 0, (0, 8)),
            Token(1, "What?", 1, "prompt", 0, (9, 14)),
            Token(2, "Yes", 2, "answer", 0, (0, 3)),
        )
        explanation._texts = {(0, "prompt"): "See this\nWhat?", (0, "answer"): "Yes"}
        assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", "\n", ""]

    def test_bytes_of_one_character_leave_no_gap(self, explanation):
        explanation.tokens = tuple(Token(k, text, k, "prompt", 0, (0, 1)) for k, text in enumerate("\ufffd🙂"))
        explanation._texts = {(0, "prompt"): "🙂"}
        assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", ""]

    def test_a_picture_is_shrunk_and_keeps_its_shape(self):
        noise = np.random.default_rng(0).integers(0, 255, (1500, 3000, 3), np.uint8)
        state = encode.encode_picture(Image.fromarray(noise), (4, 8), (0, 0, 3000, 1500), image=0)
        assert (state["width"], state["height"]) == (1024, 512)
        shown = Image.open(io.BytesIO(state["data"]))
        assert shown.size == (1024, 512)
        assert state["mime"] == "image/jpeg"

    def test_a_small_picture_is_kept_to_the_pixel(self):
        image = Image.new("RGB", (40, 30), "red")
        image.paste("blue", (10, 10, 20, 20))
        state = encode.encode_picture(image, (3, 4), (0, 0, 40, 30), image=0)
        assert state["mime"] == "image/png"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(state["data"]))), np.asarray(image))

    def test_colour_maps_are_matplotlibs(self, widget):
        from matplotlib import colormaps

        assert list(widget.colormaps) == list(COLORMAPS)
        table = np.frombuffer(widget.colormaps["jet"], np.uint8).reshape(256, 3)
        assert np.array_equal(table[77], np.array(colormaps["jet"](77, bytes=True))[:3])


class TestMaps:
    def test_a_weak_map_uses_all_levels(self, explanation):
        cells, peak, relevances, relevance_peak = encode.encode_map(explanation, 3)
        assert peak == pytest.approx(13e-4)
        assert levels(cells) == [0, 20, 39, 59, 78, 98, 195, 215, 234, 254]
        assert (levels(relevances), relevance_peak) == ([0, 128, 255], 1)

    def test_unseen_cells_are_marked(self, explanation):
        cells, peak, _, _ = encode.encode_map(explanation, 1)
        assert peak == pytest.approx(5e-4)
        assert levels(cells)[6:] == [protocol.UNSEEN] * 4
        assert max(levels(cells)[:6]) == protocol.PEAK_LEVEL

    def test_a_token_before_all_pictures_has_seen_none(self, film):
        cells, peak, _, _ = encode.encode_map(film, 0)
        assert peak == 0
        assert set(levels(cells)) == {protocol.UNSEEN}

    def test_embedded_maps_of_a_video_equal_the_answers(self, film):
        film.maps = lambda: SimpleNamespace(
            images=tuple(np.stack([film.heatmap(i, image=k) for i in range(4)]) for k in range(2)),
            relevance=np.tril(np.ones((4, 4), np.float32), -1),
        )
        embedded = encode.embed_maps(film)
        assert len(embedded["cells"]) + len(embedded["relevances"]) == encode.embedded_size(film)
        for i in range(4):
            assert embedded["cells"][22 * i : 22 * (i + 1)] == encode.encode_map(film, i)[0]

    def test_no_activation_is_a_peak_of_zero(self, explanation):
        cells, peak, relevances, relevance_peak = encode.encode_map(explanation, 0)
        assert (peak, relevance_peak, relevances) == (0, 0, b"")
        assert levels(cells)[:6] == [0] * 6

    @given(npst.arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 1, width=32) | st.just(np.float32("nan"))))
    def test_levels_give_the_values_back(self, values):
        data, peak = encode._levels(values, protocol.PEAK_LEVEL)
        got = np.frombuffer(data, np.uint8)
        unseen = np.isnan(values)
        assert np.array_equal(got == protocol.UNSEEN, unseen)
        back = got[~unseen] / protocol.PEAK_LEVEL * peak
        assert np.allclose(back, values[~unseen], rtol=1e-5, atol=0.5001 * peak / protocol.PEAK_LEVEL)

    def test_embedded_maps_equal_the_answers(self, explanation):
        embedded = encode.embed_maps(explanation)
        assert len(embedded["cells"]) + len(embedded["relevances"]) == encode.embedded_size(explanation)
        for i in range(4):
            cells, peak, relevances, relevance_peak = encode.encode_map(explanation, i)
            start = i * (i - 1) // 2
            assert embedded["cells"][10 * i : 10 * (i + 1)] == cells
            assert embedded["relevances"][start : start + i] == relevances
            assert (embedded["peaks"][i], embedded["relevance_peaks"][i]) == (peak, relevance_peak)

    def test_small_maps_are_embedded_unasked(self, explanation, monkeypatch):
        assert TAMWidget(explanation).maps is not None
        monkeypatch.setattr("tam_widget.widget.widget.EMBED_LIMIT", encode.embedded_size(explanation) - 1)
        assert TAMWidget(explanation).maps is None
        assert TAMWidget(explanation, embed=True).maps is not None

    def test_embed_false_makes_no_map(self, explanation):
        assert TAMWidget(explanation, embed=False).maps is None
        assert explanation.asked == []


class TestRequests:
    def test_a_map(self, explanation):
        reply, buffers = answer(explanation, {"id": "a-1", "type": "map", "token": 2})
        cells, peak, relevances, relevance_peak = encode.encode_map(explanation, 2)
        assert reply == {
            "id": "a-1",
            "type": "map",
            "token": 2,
            "candidate": None,
            "peak": peak,
            "relevance_peak": relevance_peak,
        }
        assert buffers == [cells + relevances]

    def test_a_candidates_map(self, explanation):
        own, _ = answer(explanation, {"id": "a", "type": "map", "token": 2})
        other, _ = answer(explanation, {"id": "a", "type": "map", "token": 2, "candidate": 1})
        assert other["candidate"] == 1
        assert other["peak"] == pytest.approx(100 * own["peak"])

    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            ({"id": "a", "type": "map", "token": 99}, "IndexError"),
            ({"id": "a", "type": "map", "token": -1}, "IndexError"),
            ({"id": "a", "type": "map", "token": "2"}, "TypeError"),
            ({"id": "a", "type": "map", "token": True}, "TypeError"),
            ({"id": "a", "type": "map", "token": 2, "candidate": 0.5}, "TypeError"),
            ({"id": "a", "type": "map"}, "TypeError"),
            ({"id": "a", "type": "tea"}, "ValueError"),
        ],
    )
    def test_an_error_is_an_answer(self, explanation, request_, kind):
        reply, buffers = answer(explanation, request_)
        assert reply["id"] == "a"
        assert reply["error"]["type"] == kind
        assert reply["error"]["message"]
        assert buffers == []

    @pytest.mark.parametrize(
        "request_", [None, 7, "map", [], {}, {"type": "map", "token": 1}, {"id": 5, "type": "map", "token": 1}]
    )
    def test_what_is_no_request_gets_an_error_without_id(self, explanation, request_):
        reply, _ = answer(explanation, request_)
        assert reply["id"] is None
        assert reply["error"]["type"] == "ValueError"

    def test_the_widget_sends_the_answer(self, widget, monkeypatch):
        sent = []
        monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
        widget._handle_custom_msg({"id": "a", "type": "map", "token": 3}, [])
        ((content, buffers),) = sent
        assert content["id"] == "a"
        assert len(buffers[0]) == 10 + 3

    def test_the_browser_chooses_the_thread_that_answers(self, explanation, monkeypatch):
        from comm.base_comm import BaseComm

        # As in ipykernel 7.4, where it makes a hover wait for the running cell; tests/browser shows the effect.
        monkeypatch.setattr(BaseComm, "_reply_subshell_for", lambda *_: "main", raising=False)
        assert TAMWidget(explanation).comm._reply_subshell_for is None

    def test_a_ping_wants_no_answer(self, widget, monkeypatch):
        sent = []
        monkeypatch.setattr(widget, "send", lambda *reply: sent.append(reply))
        widget._handle_custom_msg({"type": "ping"}, [])
        assert sent == []

    def test_one_request_at_a_time(self, widget, monkeypatch):
        inside, most = 0, 0

        def slow(_explanation, request):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.01)
            inside -= 1
            return request, []

        sent = []
        monkeypatch.setattr("tam_widget.widget.widget.answer", slow)
        monkeypatch.setattr(widget, "send", lambda content, _buffers: sent.append(content["id"]))
        threads = [threading.Thread(target=widget._handle_custom_msg, args=({"id": str(i)}, [])) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == 1
        assert sorted(sent) == [str(i) for i in range(8)]


class TestSettings:
    def test_given_at_the_start(self, explanation):
        widget = TAMWidget(explanation, opacity=0.25, colormap="jet", smooth=False)
        assert (widget.opacity, widget.colormap, widget.smooth) == (0.25, "jet", False)

    def test_an_unknown_keyword_names_the_valid_ones(self, explanation):
        with pytest.raises(TypeError, match=r"opactiy.*embed, opacity, colormap, smooth"):
            TAMWidget(explanation, opactiy=0.5)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("opacity", 1.5), ("opacity", -0.1), ("opacity", "half"), ("colormap", "rainbows"), ("smooth", "yes")],
    )
    def test_a_wrong_value_is_refused(self, explanation, widget, name, value):
        before = getattr(widget, name)
        with pytest.raises(traitlets.TraitError):
            setattr(widget, name, value)
        assert getattr(widget, name) == before
        with pytest.raises(traitlets.TraitError):
            TAMWidget(explanation, **{name: value})

    def test_the_error_names_the_choices(self, widget):
        with pytest.raises(traitlets.TraitError, match=r"'rainbows'.*inferno.*jet"):
            widget.colormap = "rainbows"

    def test_any_colour_map_of_matplotlib_will_do(self, widget):
        widget.colormap = "coolwarm"
        assert widget.colormaps["coolwarm"] == colormap_table("coolwarm")

    def test_the_state_is_not_for_changing(self, widget):
        with pytest.raises(traitlets.TraitError):
            widget.tokens = []


class TestBundle:
    def test_is_small(self):
        size = sum(path.stat().st_size for path in STATIC.iterdir())
        assert size <= 40_000, f"{size} bytes; each widget in a saved notebook carries them"

    def test_needs_nothing_from_anywhere(self):
        text = (STATIC / "widget.js").read_text() + (STATIC / "widget.css").read_text()
        assert not re.search(
            r"https?://|\bimport\b|@import|url\(|eval\(|innerHTML|insertAdjacentHTML|document\.write", text
        )

    def test_the_protocol_is_the_same_on_both_sides(self):
        text = (ROOT / "js/src/protocol.ts").read_text()
        for name in ("PEAK_LEVEL", "UNSEEN"):
            assert f"export const {name} = {getattr(protocol, name)};" in text
        for kind, interface in (
            (protocol.TokenState, "Token"),
            (protocol.CandidateState, "Candidate"),
            (protocol.PictureState, "Picture"),
            (protocol.EmbeddedMaps, "EmbeddedMaps"),
            (protocol.MapRequest, "MapRequest"),
            (protocol.Ping, "Ping"),
            (protocol.MapReply, "MapReply"),
            (protocol.ErrorReply, "ErrorReply"),
        ):
            body = re.search(rf"export interface {interface} \{{(.*?)\n\}}", text, re.DOTALL).group(1)
            assert set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) == set(kind.__annotations__), interface

    def test_every_trait_is_known_to_both_sides(self, widget):
        own = {name for name in widget.keys if not name.startswith("_")} - {"layout", "tabbable", "tooltip"}
        text = (ROOT / "js/src/protocol.ts").read_text()
        body = re.search(r"export interface State \{(.*?)\n\}", text, re.DOTALL).group(1)
        assert own == set(re.findall(r"^  (\w+):", body, re.MULTILINE))
