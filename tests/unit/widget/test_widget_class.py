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

from tam_widget.media.videos import Video
from tam_widget.text.tokens import Candidate, Token, Word
from tam_widget.widget import TAMWidget, encode, protocol
from tam_widget.widget.colormaps import COLORMAPS, DIVERGING, colormap_table
from tam_widget.widget.requests import answer

ROOT = Path(__file__).parents[3]
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
        self.texts = {(0, "prompt"): "Go", (0, "answer"): "A star"}
        self.words = tuple(Word("", self.tokens[a:b]) for a, b in ((0, 1), (1, 2), (2, 4)))
        self.images = (Image.new("RGB", size, "red"), Image.new("RGB", size, "blue"))
        self.grids = ((2, 3), (1, 4))
        self.boxes = ((0, 0, *size),) * 2
        self.asked = []

    def heatmap(self, token, candidate=None, image=0, **method):
        self.asked.append((token, candidate, image, method))
        if token >= len(self.tokens):
            raise IndexError(f"token {token} is out of range")
        rows, columns = self.grids[image]
        if token < 2 and image == 1:
            return np.full((rows, columns), np.nan, np.float32)
        if token == 0:
            return np.zeros((rows, columns), np.float32)
        scale = 1e-4 if candidate is None else 1e-2
        scale *= method.get("kernel_size", 3) / 3
        return (np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) + 10 * image) * np.float32(scale)

    def relevance(self, token, candidate=None):
        return np.linspace(0, 1, token, dtype=np.float32)

    def responses(self, box, image=0, frame=None, **method):
        self.asked.append((box, image, frame, method))
        return np.array([np.nan, 0.25, 0.5, 1], np.float32)

    def prepare(self, tokens=None, candidate=None, *, seconds=None, **method):
        return True

    def maps(self, **method):
        relevance = np.zeros((4, 4), np.float32)
        for i in range(4):
            relevance[i, :i] = self.relevance(i)
        images = tuple(np.stack([self.heatmap(i, image=k, **method) for i in range(4)]) for k in range(2))
        return SimpleNamespace(images=images, relevance=relevance)


class FakeFilm(FakeExplanation):
    """A video of three frames, 2 × 3 cells each, and then a picture of which the model saw the middle."""

    def __init__(self):
        super().__init__()
        frames = tuple(Image.new("RGB", (1200, 600), colour) for colour in ("red", "green", "blue"))
        self.images = (Video(frames, (0.0, 0.5, 1.25)), Image.new("RGB", (80, 60)))
        self.grids = ((3, 2, 3), (2, 2))
        self.boxes = ((0, 0, 1200, 600), (10, -6, 70, 66))

    def heatmap(self, token, candidate=None, image=0, **method):
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


def map_of(explanation, *tokens, combine="mean"):
    return encode.encode_map(explanation, tokens, combine=combine)


METHOD = {"causal_inference": True, "kernel_size": 3, "part": "map"}


def asking(*tokens, **more):
    """A request for a map, as the browser sends it."""
    return {
        "id": "a",
        "type": "map",
        "tokens": list(tokens),
        "combine": "mean",
        "candidate": None,
        "method": METHOD,
    } | more


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
        cells, _, _, _ = map_of(film, 3)
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
        explanation.texts = {(0, "prompt"): "See this\nWhat?", (0, "answer"): "Yes"}
        assert [token["lead"] for token in encode.encode_tokens(explanation)] == ["", "\n", ""]

    def test_bytes_of_one_character_leave_no_gap(self, explanation):
        explanation.tokens = tuple(Token(k, text, k, "prompt", 0, (0, 1)) for k, text in enumerate("\ufffd🙂"))
        explanation.texts = {(0, "prompt"): "🙂"}
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

        assert list(widget.colormaps) == [*COLORMAPS, DIVERGING]
        table = np.frombuffer(widget.colormaps["jet"], np.uint8).reshape(256, 3)
        assert np.array_equal(table[77], np.array(colormaps["jet"](77, bytes=True))[:3])


class TestMaps:
    def test_a_weak_map_uses_all_levels(self, explanation):
        cells, peak, relevances, relevance_peak = map_of(explanation, 3)
        assert peak == pytest.approx(13e-4)
        assert levels(cells) == [0, 20, 39, 59, 78, 98, 195, 215, 234, 254]
        assert (levels(relevances), relevance_peak) == ([0, 128, 255], 1)

    def test_unseen_cells_are_marked(self, explanation):
        cells, peak, _, _ = map_of(explanation, 1)
        assert peak == pytest.approx(5e-4)
        assert levels(cells)[6:] == [protocol.UNSEEN] * 4
        assert max(levels(cells)[:6]) == protocol.PEAK_LEVEL

    def test_a_token_before_all_pictures_has_seen_none(self, film):
        cells, peak, _, _ = map_of(film, 0)
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
            assert embedded["cells"][22 * i : 22 * (i + 1)] == map_of(film, i)[0]

    def test_no_activation_is_a_peak_of_zero(self, explanation):
        cells, peak, relevances, relevance_peak = map_of(explanation, 0)
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
            cells, peak, relevances, relevance_peak = map_of(explanation, i)
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
        reply, buffers = answer(explanation, asking(2, id="a-1"))
        cells, peak, relevances, relevance_peak = map_of(explanation, 2)
        assert reply == {"id": "a-1", "type": "map", "peak": peak, "relevance_peak": relevance_peak}
        assert buffers == [cells + relevances]

    def test_a_candidates_map(self, explanation):
        own, _ = answer(explanation, asking(2))
        other, _ = answer(explanation, asking(2, candidate=1))
        assert other["peak"] == pytest.approx(100 * own["peak"])

    def test_a_words_map_is_the_mean_or_the_maximum_of_its_tokens(self, film, explanation):
        for combine, expected in (("mean", np.mean), ("max", np.max)):
            both = [film.heatmap(token) for token in (2, 3)]
            cells, peak, _, _ = map_of(film, 2, 3, combine=combine)
            values = np.array(levels(cells)[:18]) / protocol.PEAK_LEVEL * peak
            np.testing.assert_allclose(values, expected(both, axis=0).ravel(), atol=0.003)
        # What one token of two has seen counts; the relevances are the greatest, up to the last token.
        cells, _, relevances, _ = map_of(explanation, 1, 2)
        assert levels(cells)[6:] == levels(map_of(explanation, 2)[0])[6:]
        assert len(relevances) == 2

    def test_the_method_is_passed_on(self, explanation):
        method = {"causal_inference": False, "kernel_size": 5, "part": "raw"}
        answer(explanation, asking(2, method=method))
        assert explanation.asked[-1] == (2, None, 1, method)

    def test_a_region(self, explanation):
        request = {"id": "r", "type": "region", "image": 1, "frame": None, "box": [0.25, 0, 0.5, 1], "method": METHOD}
        reply, (scores,) = answer(explanation, request)
        assert reply == {"id": "r", "type": "region"}
        np.testing.assert_array_equal(np.frombuffer(scores, "<f4"), np.float32([np.nan, 0.25, 0.5, 1]))
        assert explanation.asked == [((2, 0, 4, 6), 1, None, {"causal_inference": True, "kernel_size": 3})]

    def test_the_answers_scale_is_that_of_the_last_answer(self, explanation):
        reply, _ = answer(explanation, {"id": "s", "type": "scale", "method": METHOD | {"kernel_size": 5}})
        assert reply == {"id": "s", "type": "scale", "peak": pytest.approx(13e-4 * 5 / 3)}
        first = explanation.tokens[1]
        explanation.tokens = tuple(
            token if token is not first else Token(1, "A", 1, "answer", 3, (0, 1)) for token in explanation.tokens
        )
        reply, _ = answer(explanation, {"id": "s", "type": "scale", "method": METHOD})
        assert reply["peak"] == pytest.approx(5e-4)

    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            (asking(99), "IndexError"),
            (asking(-1), "IndexError"),
            (asking("2"), "TypeError"),
            (asking(*[True]), "TypeError"),
            (asking(), "TypeError"),
            (asking(2, candidate=0.5), "TypeError"),
            (asking(2, 3, candidate=1), "ValueError"),
            (asking(2, combine="sum"), "ValueError"),
            (asking(2, method={"causal_inference": True}), "TypeError"),
            (asking(2, method=None), "TypeError"),
            ({"id": "a", "type": "map"}, "TypeError"),
            ({"id": "a", "type": "region", "image": 0, "frame": None, "box": [0, 1], "method": METHOD}, "TypeError"),
            ({"id": "a", "type": "region", "image": "0", "frame": None, "box": [0] * 4, "method": METHOD}, "TypeError"),
            ({"id": "a", "type": "scale"}, "TypeError"),
            ({"id": "a", "type": "tea"}, "ValueError"),
        ],
    )
    def test_an_error_is_an_answer(self, explanation, request_, kind):
        reply, buffers = answer(explanation, request_)
        assert reply["id"] == "a"
        assert reply["error"]["type"] == kind
        assert reply["error"]["message"]
        assert buffers == []

    @pytest.mark.parametrize("request_", [None, 7, "map", [], {}, {"type": "map", "tokens": [1]}, asking(1, id=5)])
    def test_what_is_no_request_gets_an_error_without_id(self, explanation, request_):
        reply, _ = answer(explanation, request_)
        assert reply["id"] is None
        assert reply["error"]["type"] == "ValueError"

    def test_the_widget_sends_the_answer(self, widget, monkeypatch):
        sent = []
        monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
        widget._handle_custom_msg(asking(3), [])
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
        with pytest.raises(TypeError, match=r"opactiy.*embed, title, opacity, colormap, smooth"):
            TAMWidget(explanation, opactiy=0.5)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("opacity", 1.5),
            ("opacity", -0.1),
            ("opacity", "half"),
            ("colormap", "rainbows"),
            ("smooth", "yes"),
            ("unit", "letter"),
            ("combine", "sum"),
            ("scale", "page"),
            ("display", "below"),
            ("tint", "blue"),
            ("contour", "yes"),
            ("threshold", 2.0),
            ("causal_inference", "no"),
            ("kernel_size", 4),
            ("kernel_size", 0),
            ("part", "rest"),
        ],
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


class TestSelection:
    def test_tokens_are_pinned_from_python(self, widget):
        widget.pinned = [3, 2, 3]
        assert widget.pinned == [2, 3]
        widget.selected = [1]
        assert widget.selected == [1]

    @pytest.mark.parametrize("name", ["pinned", "selected"])
    @pytest.mark.parametrize("value", [[4], [-1], ["a"], 3])
    def test_a_token_that_is_not_there_is_refused(self, widget, name, value):
        with pytest.raises(traitlets.TraitError):
            setattr(widget, name, value)
        assert getattr(widget, name) == []

    def test_a_region_is_asked_about_from_python(self, film):
        widget = TAMWidget(film)
        widget.region = {"image": 0, "frame": 2, "box": (0, 0.25, 1, 0.5)}
        assert widget.region == {"image": 0, "frame": 2, "box": [0.0, 0.25, 1.0, 0.5]}
        widget.region = None
        assert widget.region is None

    @pytest.mark.parametrize(
        "region",
        [
            {"image": 0},
            {"image": 5, "frame": None, "box": (0, 0, 1, 1)},
            {"image": 0, "frame": 1, "box": (0, 0, 1, 1)},
            {"image": 0, "frame": None, "box": (0.5, 0, 0.25, 1)},
            {"image": 0, "frame": None, "box": (0, 0, 1, 2)},
        ],
    )
    def test_a_region_that_is_not_there_is_refused(self, widget, region):
        with pytest.raises(traitlets.TraitError, match=r"a region is|a box is"):
            widget.region = region

    def test_what_the_page_sets_can_be_observed(self, widget):
        seen = []
        widget.observe(lambda change: seen.append(change["new"]), "selected")
        widget.set_state({"selected": [2, 3]})
        assert seen == [[2, 3]]


class TestBundle:
    def test_is_small(self):
        # Each widget in a saved notebook carries them.
        assert (STATIC / "widget.js").stat().st_size <= 60_000
        assert (STATIC / "widget.css").stat().st_size <= 13_000

    def test_needs_nothing_from_anywhere(self):
        text = (STATIC / "widget.js").read_text() + (STATIC / "widget.css").read_text()
        assert not re.search(
            r"https?://|\bimport\b|@import|url\(|eval\(|innerHTML|insertAdjacentHTML|document\.write", text
        )

    def test_the_protocol_is_the_same_on_both_sides(self):
        text = (ROOT / "js/src/protocol.ts").read_text()
        assert f'export const DIVERGING = "{DIVERGING}";' in text
        for name in ("PEAK_LEVEL", "UNSEEN"):
            assert f"export const {name} = {getattr(protocol, name)};" in text
        for kind, interface in (
            (protocol.TokenState, "Token"),
            (protocol.CandidateState, "Candidate"),
            (protocol.PictureState, "Picture"),
            (protocol.EmbeddedMaps, "EmbeddedMaps"),
            (protocol.MethodState, "Method"),
            (protocol.MapRequest, "MapRequest"),
            (protocol.ScaleRequest, "ScaleRequest"),
            (protocol.RegionReply, "RegionReply"),
            (protocol.ScaleReply, "ScaleReply"),
            (protocol.Ping, "Ping"),
            (protocol.MapReply, "MapReply"),
            (protocol.LaterReply, "LaterReply"),
            (protocol.ErrorReply, "ErrorReply"),
        ):
            body = re.search(rf"export interface {interface} \{{(.*?)\n\}}", text, re.DOTALL).group(1)
            assert set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) == set(kind.__annotations__), interface

    def test_every_trait_is_known_to_both_sides(self, widget):
        own = {name for name in widget.keys if not name.startswith("_")} - {"layout", "tabbable", "tooltip"}
        text = (ROOT / "js/src/protocol.ts").read_text()
        body = re.search(r"export interface State \{(.*?)\n\}", text, re.DOTALL).group(1)
        assert own - {"_dom_classes"} == set(re.findall(r"^  (\w+):", body, re.MULTILINE))
