"""Overlays and figures: the pixels and words they must show."""

import subprocess
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest
from made_explanation import ANSWER, BREAK, PROMPT, make
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

import tam_widget as tam
from tam_widget.figures.blend import overlay
from tam_widget.figures.style import seconds
from tam_widget.figures.typeset import Run, set_lines, text_width

GREY = Image.new("RGB", (40, 30), (100, 100, 100))
VIDEO = ((12, 4, 5),)
TURNS = ((PROMPT, ANSWER), (("Look", " here", BREAK, "What", "?"), ("Gone", " now", ".")))


def corner_map():
    heatmap = np.zeros((3, 4), np.float32)
    heatmap[0, 3] = 0.5
    return heatmap


def test_an_overlay_covers_in_proportion_to_the_value():
    pixels = np.asarray(overlay(GREY, corner_map(), colormap="gray", opacity=0.5, smooth=False)).astype(int)
    assert pixels.shape == (30, 40, 3)
    assert (pixels[:10, 30:] == round(100 + (255 - 100) * 0.5)).all()
    pixels[:10, 30:] = 100
    assert (pixels == 100).all()  # the picture is untouched where the map is 0


def test_stretching_shows_a_weak_map_as_strongly_as_its_peak():
    weak = np.asarray(overlay(GREY, corner_map() / 100, colormap="gray", smooth=False))
    strong = np.asarray(overlay(GREY, corner_map(), colormap="gray", smooth=False))
    np.testing.assert_allclose(weak.astype(int), strong, atol=1)
    unstretched = np.asarray(overlay(GREY, corner_map(), colormap="gray", opacity=1, smooth=False, stretch=False))
    np.testing.assert_allclose(unstretched[0, 39].astype(int), 100 + (127.5 - 100) * 0.5, atol=1.5)


def test_a_smooth_overlay_interpolates_between_cell_centres():
    line = np.array([[0, 1]], np.float32)
    pixels = np.asarray(overlay(Image.new("RGB", (40, 4)), line, colormap="gray", opacity=1, smooth=True)).astype(int)
    row = np.sqrt(pixels[0, :, 0] / 255)  # colour and cover both grow with the value
    t = np.clip((np.arange(40) + 0.5) / 20 - 0.5, 0, 1)
    expected = (t + 3 * t**2 - 2 * t**3) / 2  # Keys' cubic through 0, 0, 1, 1
    np.testing.assert_allclose(row, expected, atol=0.03)  # 8 bits are coarse near 0


def test_a_spotlight_darkens_what_the_map_leaves_out():
    values = np.array([[0.0, 0.2, 0.4, 0.8]], np.float32)
    pixels = np.asarray(overlay(GREY, values, opacity=0.5, smooth=False, paint="spotlight"))[15, 5::10].astype(int)
    dark = [round(100 + (one - 100) * 0.5) for one in (16, 17, 20)]
    half = [round(100 + (one - 100) * 0.25) for one in (16, 17, 20)]
    np.testing.assert_allclose(pixels, [dark, half, [100] * 3, [100] * 3], atol=1)  # lit from half of the peak on
    nothing = overlay(GREY, np.zeros((1, 4), np.float32), paint="spotlight")
    np.testing.assert_array_equal(np.asarray(nothing), np.asarray(GREY))
    with pytest.raises(ValueError, match="paint must be 'heat' or 'spotlight'"):
        overlay(GREY, values, paint="oil")


def test_a_spotlight_moves_over_a_video():
    ex, video = make(grids=VIDEO), 0
    token = next(t.index for t in ex.tokens if np.nanmax(ex.heatmap(t.index)) > 0)
    heatmap = ex.heatmap(token)
    frame = int(np.nanargmin(np.nanmax(heatmap, axis=(1, 2))))
    shown = ex.overlay(token, image=video, frame=frame, paint="spotlight")
    expected = overlay(
        ex.images[video].frames[frame],
        heatmap[frame] / np.nanmax(heatmap),
        ex.boxes[video],
        stretch=False,
        paint="spotlight",
    )
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(expected))


def test_unseen_cells_are_veiled_and_do_not_spread():
    heatmap = np.array([[np.nan, 0.0]], np.float32)
    pixels = np.asarray(overlay(Image.new("RGB", (40, 4)), heatmap, opacity=0.5)).astype(int)
    assert (pixels[:, :20] == 32).all()  # mid-grey, half as strong
    assert (pixels[:, 20:] == 0).all()


def test_unseen_cells_do_not_darken_their_neighbours():
    heatmap = np.array([[np.nan, 1.0]], np.float32)
    pixels = np.asarray(overlay(Image.new("RGB", (40, 4)), heatmap, colormap="gray", opacity=1)).astype(int)
    assert (pixels[:, 20:] == 255).all()


def test_a_box_puts_every_cell_on_its_pixels_and_veils_the_rest():
    picture, heatmap = Image.new("RGB", (40, 30)), np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    pixels = np.asarray(overlay(picture, heatmap, (10, 0, 30, 20), colormap="gray", opacity=1, smooth=False))
    expected = np.full((30, 40, 3), 64)  # the veil
    expected[:20, 10:30] = 0
    expected[:10, 10:20] = expected[10:20, 20:30] = 255
    np.testing.assert_array_equal(pixels, expected)


def test_a_box_may_reach_beyond_the_picture():
    heatmap = np.array([[1.0, 0.0, 1.0]], np.float32)
    pixels = np.asarray(overlay(GREY, heatmap, (-10, -5, 50, 35), colormap="gray", opacity=1, smooth=False))
    assert (pixels[:, :10] == 255).all()
    assert (pixels[:, 10:30] == 100).all()
    assert (pixels[:, 30:] == 255).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_the_whole_picture_is_the_box_by_default(smooth):
    heatmap = np.random.default_rng(0).random((5, 7), dtype=np.float32)
    heatmap[0, :3] = np.nan
    whole = overlay(GREY, heatmap, (0, 0, 40, 30), smooth=smooth)
    np.testing.assert_array_equal(np.asarray(overlay(GREY, heatmap, smooth=smooth)), np.asarray(whole))


@pytest.mark.parametrize(
    ("options", "message"), [({"opacity": 1.5}, "opacity"), ({"colormap": "no such"}, "no colour map 'no such'")]
)
def test_bad_styles_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        overlay(GREY, corner_map(), **options)
    with pytest.raises(ValueError, match="rows, columns"):
        overlay(GREY, np.zeros(4))
    with pytest.raises(ValueError, match="box"):
        overlay(GREY, corner_map(), (10, 0, 10, 30))


def test_an_explanations_overlay_is_that_of_its_heatmap():
    ex = make()
    for what, heatmap in [
        (5, ex.heatmap(5)),
        (ex.tokens[5], ex.heatmap(5)),
        ("triangle", np.maximum(ex.heatmap(6), ex.heatmap(7))),
        ([6, 7], np.maximum(ex.heatmap(6), ex.heatmap(7))),
    ]:
        expected = overlay(ex.images[0], heatmap, smooth=False)
        np.testing.assert_array_equal(np.asarray(ex.overlay(what, smooth=False)), np.asarray(expected))
    candidate = overlay(ex.images[0], ex.heatmap(5, candidate=1))
    np.testing.assert_array_equal(np.asarray(ex.overlay(5, candidate=1)), np.asarray(candidate))


def test_an_explanations_overlay_lies_in_its_box():
    ex = make()
    ex.boxes = ((-10, 0, 60, 40),)
    expected = overlay(ex.images[0], ex.heatmap(5), (-10, 0, 60, 40))
    np.testing.assert_array_equal(np.asarray(ex.overlay(5)), np.asarray(expected))
    assert not np.array_equal(np.asarray(expected), np.asarray(overlay(ex.images[0], ex.heatmap(5))))


def test_a_videos_overlay_is_that_of_one_frame_on_the_videos_scale():
    ex = make(grids=VIDEO)
    maps, frames = ex.heatmap(5), ex.images[0].frames
    peak = maps.max()
    assert len({one.max() for one in maps}) == 12  # each frame has a maximum of its own
    for frame in (0, 11, -1):
        expected = overlay(frames[frame], maps[frame] / peak, stretch=False)
        np.testing.assert_array_equal(np.asarray(ex.overlay(5, frame=frame)), np.asarray(expected))
    unstretched = overlay(frames[2], maps[2], stretch=False)
    np.testing.assert_array_equal(np.asarray(ex.overlay(5, frame=2, stretch=False)), np.asarray(unstretched))


def test_a_frame_belongs_to_a_video_and_a_video_needs_one():
    ex = make(grids=(*VIDEO, (3, 3)))
    with pytest.raises(ValueError, match=r"picture 0 is a video.*12 frames"):
        ex.overlay(5)
    with pytest.raises(tam.TokenIndexError, match="frame 12 is out of range: there are 12"):
        ex.overlay(5, frame=12)
    with pytest.raises(ValueError, match="picture 1 is no video"):
        ex.overlay(5, image=1, frame=0)


def written(figure):
    """Every text of a figure, as (text, colour)."""
    return [(text.get_text(), text.get_color()) for axes in figure.axes for text in axes.texts]


def test_a_plot_marks_the_token_tints_the_context_and_fades_what_comes_later():
    ex = make()
    figure = ex.plot(7)
    looks = dict(reversed(written(figure)))  # the text itself comes before the candidates
    assert looks["angle"] == "#ffffff"  # inverted
    assert looks["here"] == looks["."] == "#888b8e"  # later
    assert looks["tri"] == "#1b1f24"
    assert "token 7" in looks
    assert {"blue", "0.70", "0.20"} <= set(looks)
    tints = [
        patch.get_alpha() for patch in figure.axes[1].patches if patch.get_facecolor()[:3] == (1.0, 195 / 255, 92 / 255)
    ]
    assert len(tints) == int((ex.relevance(7) > 0).sum())
    np.testing.assert_allclose(sorted(tints), sorted(np.sqrt(ex.relevance(7)[ex.relevance(7) > 0])), rtol=1e-5)


def test_a_word_is_drawn_once_for_each_occurrence_in_the_answer():
    ex = make()
    assert len(ex.plot("triangle").axes) == 2
    assert "tokens 6–7" in dict(written(ex.plot("triangle")))
    assert "token 8" in dict(written(ex.plot("is")))  # "is" of the prompt is left out
    assert "token 0" in dict(written(ex.plot("where")))


def test_a_candidates_plot_says_so():
    assert "blue in place of red" in dict(written(make().plot(5, candidate=1)))


def test_a_map_without_activation_says_so():
    ex = make()
    ex._bank._activations.states[:20] = 0
    assert "no image activation" in dict(written(ex.plot(5)))


def test_a_map_of_a_picture_that_comes_later_says_so(monkeypatch):
    ex = make()
    monkeypatch.setattr(ex, "heatmap", lambda *_: np.full(ex.grids[0], np.nan, np.float32))
    figure = ex.plot(5)
    assert "not seen yet" in dict(written(figure))
    veiled = np.asarray(figure.axes[0].images[0].get_array())
    assert len(np.unique(veiled)) == 1


def times(figure):
    return [text for text, _ in written(figure) if text.endswith(" s")]


def test_a_video_is_a_row_of_frames_each_with_its_time():
    few = make(grids=((3, 4, 5),)).plot(5)
    assert times(few) == ["0.0 s", "0.5 s", "1.0 s"]
    assert len(few.axes) == 3 + 1
    ex = make(grids=VIDEO)
    figure = ex.plot(5)
    assert len(times(figure)) == len(set(times(figure))) == len(figure.axes) - 1 == 8
    peak = int(ex.heatmap(5).max(axis=(1, 2)).argmax())
    assert f"{peak / 2:.1f} s" in times(figure)
    lefts = [axes.get_position().x0 for axes in figure.axes[:8]]
    assert lefts == sorted(lefts)
    tops = {axes.get_position().y1 for axes in figure.axes[:8]}
    assert len(tops) == 1
    assert figure.axes[7].get_position().x1 < 1


def test_the_frames_of_a_plot_are_the_overlays():
    ex = make(grids=((3, 4, 5),))
    for frame, axes in enumerate(ex.plot(5).axes[:3]):
        shown = np.asarray(axes.images[0].get_array())
        np.testing.assert_array_equal(shown, np.asarray(ex.overlay(5, frame=frame)))


def test_a_sheet_of_a_video_shows_the_frame_where_each_word_peaks():
    ex = make(grids=VIDEO)
    figure = ex.plot()
    words = [word for word in ex.words if word.tokens[0].role == "answer"]
    assert len(figure.axes) == len(words)
    captions = [text.get_text() for text in figure.texts]
    for number, word in enumerate(words):
        said, peak, time = captions[3 * number : 3 * number + 3]
        maps = np.max([ex.heatmap(token) for token in word.tokens], axis=0)
        frame = int(maps.max(axis=(1, 2)).argmax())
        assert (said, peak, time) == (word.text, f"{maps.max():.2f}", f"{frame / 2:.1f} s")


def test_a_sheet_shows_the_last_turns_answer():
    figure = make(turns=TURNS).plot()
    assert [text.get_text() for text in figure.texts[::2]] == ["Gone", "now", "."]


def test_times_are_as_fine_as_they_must_be():
    assert [seconds(time) for time in (0, 0.5, 1, 0.04, 1 / 3, 12.25, 100)] == [
        "0.0 s", "0.5 s", "1.0 s", "0.04 s", "0.33 s", "12.25 s", "100.0 s",
    ]  # fmt: skip


def test_turns_stand_below_each_other_in_order():
    figure = make(turns=TURNS).plot(15)
    heights = {text.get_text(): text.get_position()[1] for text in reversed(figure.axes[1].texts)}
    order = ["Where", "red", "Look", "What", "Gone"]
    assert [heights[word] for word in order] == sorted({heights[word] for word in order})
    assert "token 15, turn 2" in heights
    assert heights["here"] < heights["Look"] < heights["What"] < heights["Gone"]
    inside, between = heights["red"] - heights["Where"], heights["Look"] - heights["here"]
    assert between > inside


def test_one_turn_goes_without_saying():
    assert not any("turn" in text for text, _ in written(make().plot(5)))


def test_two_texts_of_one_message_do_not_run_together():
    figure = make(turns=TURNS).plot([12, 13])
    assert "here⏎What" in dict(written(figure))


def test_a_figure_shows_itself_and_can_be_saved(tmp_path):
    figure = make().plot(5)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    assert figure._repr_png_()[:4] == b"\x89PNG"
    for name in ("x.pdf", "x.svg", "x.png"):
        figure.savefig(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.filterwarnings("ignore:Glyph")
def test_no_text_is_read_as_mathematics_or_markup(tmp_path):
    from tam_widget.text.tokens import Token

    ex = make()
    odd = ("$x_1^2$", r" \frac{a", "}{b}", " #&%~", "<b>", "\n", " $", "\t", "\x00", "猫", "😀")
    ex.tokens = tuple(
        Token(token.index, odd[token.index], token.id, token.role, token.turn, token.span, token.candidates)
        for token in ex.tokens
    )
    figure = ex.plot(7)
    texts = [text for text, _ in written(figure)]
    assert {"$x_1^2$", r"\frac{a", "}{b}", "#&%~", "<b>", "$"} <= set(texts)
    assert not any(text.get_parse_math() or text.get_usetex() for axes in figure.axes for text in axes.texts)
    with pytest.warns(UserWarning, match="Glyph"):
        figure.savefig(tmp_path / "odd.png")


@pytest.mark.filterwarnings("ignore:Glyph")
def test_long_text_is_wrapped_inside_the_figure():
    runs = [Run(" word" * 30, "k"), Run("x" * 400, "k"), Run("\n\nlast $", "k"), Run("猫" * 80, "k")]
    pieces, lines = set_lines(runs, 200, 10)
    assert lines == max(piece.line for piece in pieces) + 1
    assert all(piece.left + piece.width <= 200 + 1e-6 for piece in pieces)
    assert all(piece.left >= 0 for piece in pieces)
    shown = "".join(piece.text for piece in pieces)
    assert shown.replace(" ", "") == "".join(run.text for run in runs).replace(" ", "").replace("\n", "")
    by_line = {}
    for piece in pieces:
        by_line.setdefault(piece.line, []).append(piece)
    for line in by_line.values():
        for before, after in pairwise(line):
            assert after.left == pytest.approx(before.left + before.width)
        assert not line[0].text.startswith(" ")
    assert [word for piece in pieces if piece.run is runs[0] for word in piece.text.split()] == ["word"] * 30


def test_a_word_of_several_tokens_stays_on_one_line():
    runs = [Run("aaaa", "k"), Run(" tri", "r"), Run("angle", "b")]
    room = text_width("aaaa tri", 10) + 1
    pieces, lines = set_lines(runs, room, 10)
    assert lines == 2
    assert [(piece.text, piece.line) for piece in pieces] == [("aaaa", 0), ("tri", 1), ("angle", 1)]


def test_the_figure_grows_with_the_text():
    short, long = make(), make()
    long.texts[0, "answer"] = "x"
    long.tokens = (*long.tokens, *(tam.Token(11 + k, " lorem ipsum", 0, "answer", 0, (0, 1)) for k in range(100)))
    long._bank = short._bank
    assert long.plot(5).get_figheight() > short.plot(5).get_figheight() + 1


def test_figures_may_be_drawn_in_several_threads():
    ex, done = make(), []
    threads = [threading.Thread(target=lambda k=k: done.append(len(ex.plot(k)._repr_png_()))) for k in (4, 5, 6, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4


def test_pyplot_is_never_imported():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from made_explanation import make; ex = make(); "
        "ex.plot(5)._repr_png_(); ex.overlay(5); print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "False"
