"""Figures look the same whatever a person's rcParams say, and find the fonts of a text's script."""

import io
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from made_explanation import make
from matplotlib import style
from matplotlib.font_manager import fontManager
from matplotlib.style import library
from PIL import Image

from tam_widget.figures import fonts
from tam_widget.figures.fonts import font_for
from tam_widget.figures.typeset import text_width

VIDEO = ((3, 4, 5),)
DOLLARS = (("What", " is", " $x$", "?"), ("It", r" \alpha", " $5", "_and", " $6^", " {", "."))
STYLES = {
    "TeX": {"text.usetex": True},
    "mathtext": {"text.parse_math": False, "mathtext.fontset": "cm"},
    "dark": library["dark_background"],
    "ggplot": library["ggplot"],
    "a style of journals": library["seaborn-v0_8-paper"],
    "grid": {"axes.grid": True, "axes.grid.which": "both", "grid.color": "red"},
    "grey page": {"figure.facecolor": "grey", "savefig.facecolor": "black", "axes.facecolor": "red"},
    "no frame": {"figure.frameon": False, "savefig.edgecolor": "red"},
    "see-through": {"savefig.transparent": True},
    "tight layout": {"figure.autolayout": True},
    "constrained layout": {"figure.constrained_layout.use": True},
    "an unknown font": {"font.family": "No Such Font"},
    "unknown fonts": {"font.sans-serif": ["No Such Font"], "font.serif": []},
    "a fancy font": {"font.style": "italic", "font.weight": "bold", "font.size": 30, "font.variant": "small-caps"},
    "white text": {"text.color": "white", "axes.labelcolor": "white"},
    "upside down": {"image.origin": "lower", "image.aspect": "equal"},
    "coarse pictures": {"image.interpolation": "nearest", "image.cmap": "jet"},
    "dashed lines": {"lines.linestyle": "--", "lines.marker": "o", "lines.linewidth": 9, "lines.color": "red"},
    "dashed cycle": {"axes.prop_cycle": mpl.cycler(linestyle=["--", ":"], marker=["o", "s"])},
    "edges": {"patch.edgecolor": "red", "patch.force_edgecolor": True, "patch.linewidth": 5, "patch.facecolor": "red"},
    "margins": {"axes.xmargin": 0.4, "axes.ymargin": 0.4, "axes.autolimit_mode": "round_numbers"},
    "a vector backend": {"backend": "pdf"},
}


def drawn(ex, what):
    figure = ex.plot(what)
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())))


@pytest.fixture(scope="module")
def plain():
    explanations = [make(), make(grids=VIDEO), make(turns=(DOLLARS,))]
    with mpl.rc_context():
        mpl.rcdefaults()
        return [(ex, what, drawn(ex, what)) for ex in explanations for what in (5, None)]


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.filterwarnings("error")
def test_a_persons_style_changes_nothing(name, plain):
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLES[name])
        for ex, what, expected in plain:
            np.testing.assert_array_equal(drawn(ex, what), expected)


@pytest.mark.parametrize("kind", ["png", "pdf", "svg", "ps"])
@pytest.mark.parametrize("what", [5, None])
def test_a_figure_is_saved_with_tex_switched_on(kind, what, tmp_path):
    with mpl.rc_context({"text.usetex": True, "savefig.bbox": "tight", "pdf.fonttype": 42, "svg.fonttype": "none"}):
        make(turns=(DOLLARS,)).plot(what).savefig(tmp_path / f"figure.{kind}")
    assert (tmp_path / f"figure.{kind}").stat().st_size > 1000


def test_a_dark_style_does_not_darken_a_saved_figure(tmp_path):
    with mpl.rc_context(), style.context("dark_background"):
        figure = make().plot(5)
        figure.savefig(tmp_path / "page.png")
        figure.savefig(tmp_path / "chosen.png", facecolor="yellow")
        figure.savefig(tmp_path / "clear.png", transparent=True)
    corners = [np.asarray(Image.open(tmp_path / f"{name}.png"))[0, 0] for name in ("page", "chosen", "clear")]
    assert [tuple(corner) for corner in corners] == [(255, 255, 255, 255), (255, 255, 0, 255), (255, 255, 255, 0)]


def font_file(path, family, characters, advance):
    """A font whose characters are all the same box."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap(dict.fromkeys(map(ord, characters), "box"))
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 700), (advance - 50, 700), (advance - 50, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder.setupGlyf({".notdef": pen.glyph(), "box": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (advance, 50), "box": (advance, 50)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    builder.save(path)
    return path


def forget():
    """What was found of fonts that come or go: a person's do not change within a session."""
    for cached in (fonts._family, fonts._files, fonts._drawn, fonts._codes, text_width):
        cached.cache_clear()


@pytest.fixture
def installed(tmp_path):
    """Fonts of scripts that matplotlib's own ones lack, one of them under a name that nobody listed."""
    before = list(fontManager.ttflist)
    forget()
    for family, characters in (
        ("Lohit Devanagari", "नमस्ते"),
        ("Loma", "สวัดี"),
        ("Someone's Own", "\ue0a0ᚠᚢ\U0001f600"),
    ):
        fontManager.addfont(font_file(tmp_path / f"{family}.ttf", family, characters, 900))
    yield
    fontManager.ttflist[:] = before
    forget()


@pytest.mark.parametrize("text", ["नमस्ते", "สวัสดี", "\ue0a0", "a न b ส c \U0001f600 سلام"])
def test_installed_fonts_of_other_scripts_are_found(text, installed):
    words = tuple(f" {word}" for word in text.split())
    ex = make(turns=((("?",), (*words, " and", " more")),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for what in (1, None):
            ex.plot(what)._repr_png_()


def test_each_character_has_the_width_of_its_font(installed):
    assert text_width("न", 10) == pytest.approx(9, abs=0.2)
    assert text_width("ननन", 10) == pytest.approx(27, abs=0.4)
    assert font_for("न", 10).get_family() == ["DejaVu Sans", "Lohit Devanagari"]
    assert font_for("word", 10).get_family() == ["DejaVu Sans"]
    assert font_for("ᚠ", 10, bold=True).get_family() == ["DejaVu Sans", "Someone's Own"]


def test_a_font_that_cannot_be_read_is_passed_over(installed, tmp_path):
    (tmp_path / "Lohit Devanagari.ttf").write_bytes(b"damaged")
    assert font_for("न", 10).get_family() == ["DejaVu Sans"]
