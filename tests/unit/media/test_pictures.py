"""Whatever a person calls a picture becomes an upright RGB image, or an error that says what would."""

import base64
import http.server
import io
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tam_widget as tam
from tam_widget.media.pictures import as_picture

RAMP = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def pixels(picture):
    image = as_picture(picture)
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "a picture.png"
    Image.fromarray(RAMP).save(path)
    return path


@pytest.fixture
def site(png):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = png.read_bytes() if self.path == "/a.png" else b"<html>no</html>"
            self.send_response(404 if self.path == "/gone.png" else 200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_paths_and_urls(png, site):
    encoded = "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
    for given in (str(png), png, f"{site}/a.png", encoded):
        np.testing.assert_array_equal(pixels(given), RAMP)


def test_what_cannot_be_fetched_or_read_says_why(tmp_path, site, png):
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    short = tmp_path / "short.png"
    short.write_bytes(png.read_bytes()[:50])
    for given, message in [
        (tmp_path / "none.png", "there is no file"),
        (tmp_path, "cannot read"),
        (text, "not a picture that can be read"),
        (short, "not a picture that can be read"),
        (f"{site}/gone.png", "cannot fetch .*404"),
        (f"{site}/page.html", "not a picture that can be read"),
        ("http://127.0.0.1:1/a.png", "cannot fetch"),
        ("http://[bad/a.png", "cannot fetch"),
        ("data:image/png,abc", "base64"),
        ("data:image/png;base64,ab$c", "base64 is broken"),
        (b"bytes", "got bytes"),
        (None, "got NoneType"),
        ({"url": "x"}, "got dict"),
    ]:
        with pytest.raises(tam.PictureError, match=message):
            as_picture(given)


def test_a_picture_error_is_a_value_error(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        as_picture(tmp_path / "none.png")


def test_the_persons_own_image_is_not_touched():
    image = Image.fromarray(RAMP)
    copy = as_picture(image)
    copy.putpixel((0, 0), (255, 255, 255))
    np.testing.assert_array_equal(np.asarray(image), RAMP)


def test_exif_rotation_is_applied_to_files_and_images(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter clockwise
    path = tmp_path / "phone.png"
    Image.fromarray(RAMP).save(path, exif=exif)
    upright = np.rot90(RAMP, -1)
    np.testing.assert_array_equal(pixels(path), upright)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(pixels(opened), upright)
        np.testing.assert_array_equal(pixels(as_picture(opened)), upright)  # not a second time


def test_transparency_lies_on_white():
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[0, 1] = (0, 0, 0, 128)
    expected = [[[10, 20, 30], [127, 127, 127]], [[255, 255, 255], [255, 255, 255]]]
    np.testing.assert_allclose(pixels(Image.fromarray(rgba)), expected, atol=1)
    np.testing.assert_allclose(pixels(rgba), expected, atol=1)
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([9, 9, 9, 200, 0, 0])
    palette.info["transparency"] = 0
    np.testing.assert_array_equal(pixels(palette), [[[255, 255, 255], [200, 0, 0]]])
    grey = Image.merge("LA", [Image.new("L", (1, 1), 50), Image.new("L", (1, 1), 0)])
    np.testing.assert_array_equal(pixels(grey), [[[255, 255, 255]]])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"])
def test_every_mode_of_pil_is_taken(mode):
    image = Image.new("RGB", (4, 3), "white")
    image = (
        image.convert("LA" if mode == "LA" else mode) if mode != "LAB" else Image.new("LAB", (4, 3), (255, 128, 128))
    )
    assert pixels(image).shape == (3, 4, 3)
    assert pixels(image).min() >= 250


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    deep = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    expected = np.array([0, 1, 128, 255])
    path = tmp_path / "deep.png"
    Image.fromarray(deep).save(path)
    wide = Image.fromarray(deep.astype(np.int32))
    assert wide.mode == "I"
    for given in (deep, Image.fromarray(deep), path, wide, deep.astype(">u2")):
        np.testing.assert_array_equal(pixels(given)[0, :, 0], expected)
    dark = Image.fromarray(np.array([[0, 200]], np.int32))
    np.testing.assert_array_equal(pixels(dark)[0, :, 0], [0, 200])


def test_arrays_and_tensors_of_every_layout():
    planes = RAMP.transpose(2, 0, 1)
    for given in (RAMP, planes, RAMP.astype(np.int64), RAMP / 255, (RAMP / 255).astype(np.float16)):
        np.testing.assert_array_equal(pixels(given), RAMP)
        np.testing.assert_array_equal(pixels(torch.tensor(np.ascontiguousarray(given))), RAMP)
    np.testing.assert_array_equal(pixels(torch.tensor(RAMP / 255).bfloat16().float()).shape, RAMP.shape)
    np.testing.assert_allclose(pixels(torch.tensor(RAMP / 255, dtype=torch.bfloat16)), RAMP, atol=1)
    np.testing.assert_array_equal(pixels(torch.tensor(planes / 255, requires_grad=True)), RAMP)
    np.testing.assert_array_equal(pixels(RAMP[..., 0]), np.repeat(RAMP[..., :1], 3, axis=2))
    np.testing.assert_array_equal(pixels(RAMP[..., :1]), np.repeat(RAMP[..., :1], 3, axis=2))
    np.testing.assert_array_equal(pixels(RAMP[..., 0] > 50)[..., 0], (RAMP[..., 0] > 50) * 255)
    np.testing.assert_array_equal(pixels(RAMP[:, ::-1]), RAMP[:, ::-1])


def test_the_usual_order_of_axes_wins_where_both_would_fit():
    three = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    np.testing.assert_array_equal(pixels(three), three)
    np.testing.assert_array_equal(pixels(torch.tensor(three)), three.transpose(1, 2, 0))
    assert as_picture(np.zeros((1, 1, 3), np.uint8)).size == (1, 1)
    assert as_picture(torch.zeros(3, 1, 1)).size == (1, 1)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 4, 4, 3), np.uint8), "batch of pictures"),
        (np.zeros((5,), np.uint8), r"\(5,\) is no picture"),
        (np.zeros((5, 6, 7), np.uint8), "number of channels"),
        (np.zeros((0, 6, 3), np.uint8), "empty"),
        (RAMP.astype(float), r"run from 0 to 104; pass floats in \[0, 1\]"),
        (RAMP / 255 - 0.5, "normalisation"),
        (np.full((4, 4, 3), np.nan), "run from nan to nan"),
        (RAMP.astype(np.int32) - 7, r"run from -7 to 97; pass uint8"),
        (RAMP.astype(np.int32) + 200, "run from 200 to 304"),
        (RAMP.astype(complex), "array of complex128"),
        (np.array([["a"]]), "is no picture"),
    ],
    ids=str,
)
def test_arrays_that_could_mean_anything_are_refused(array, message):
    with pytest.raises(tam.PictureError, match=message):
        as_picture(array)


def test_an_animation_asks_for_a_frame(tmp_path):
    path = tmp_path / "moving.gif"
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(tam.PictureError, match="2 frames"):
        as_picture(path)


def test_an_empty_image_is_refused():
    with pytest.raises(tam.PictureError, match="empty: 0×5"):
        as_picture(Image.new("RGB", (0, 5)))


def test_a_home_path_is_expanded(png, monkeypatch):
    monkeypatch.setenv("HOME", str(png.parent))
    np.testing.assert_array_equal(pixels(f"~/{png.name}"), RAMP)
    assert Path("~").expanduser() == png.parent


def test_no_metadata_reaches_the_model():
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "PNG", icc_profile=b"profile")
    with Image.open(buffer) as image:
        assert as_picture(image).info == {}
