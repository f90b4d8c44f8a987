"""Whatever a person calls a picture becomes an upright RGB image, or an error that says what would."""

import base64
import io
import os
import zlib
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image

import tam_widget as tam
from tam_widget.media import limits
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


def test_paths_and_data_urls(png):
    encoded = base64.b64encode(png.read_bytes()).decode()
    broken = base64.encodebytes(png.read_bytes()).decode()
    for given in (
        str(png), png, png.as_uri(), f"FILE://localhost{png.as_uri()[7:]}",
        f"data:image/png;base64,{encoded}", f"DATA:;BASE64,{broken}", f"data:image/png;base64,{encoded.rstrip('=')}",
        f"data:image/png;base64,{quote(encoded, safe='')}",
        encoded, broken, base64.urlsafe_b64encode(png.read_bytes()).decode(),
    ):  # fmt: skip
        np.testing.assert_array_equal(pixels(given), RAMP)


def test_bytes_and_file_objects_are_read_from_their_beginning_and_left_where_they_were(png):
    content = png.read_bytes()
    for given in (content, bytearray(content), memoryview(content)):
        np.testing.assert_array_equal(pixels(given), RAMP)
    written = io.BytesIO()
    Image.fromarray(RAMP).save(written, "PNG")  # stands at its end
    with png.open("rb") as file:
        for given in (written, file):
            place = given.tell()
            np.testing.assert_array_equal(pixels(given), RAMP)
            assert given.tell() == place
            assert not given.closed


def test_what_cannot_be_read_says_why(tmp_path, png):
    text, short, empty = tmp_path / "notes.png", tmp_path / "short.png", tmp_path / "empty.png"
    text.write_text("not a picture")
    short.write_bytes(png.read_bytes()[:50])
    empty.touch()
    closed = Image.open(png)
    closed.close()
    for given, message in [
        (tmp_path / "none.png", "there is no file"),
        (tmp_path, "it is a folder"),
        (text, "not a picture that can be read: Pillow knows no such format"),
        (short, "not a picture that can be read"),
        (empty, "it is empty"),
        ("", "an empty text names no file"),
        ("a\0b.png", "null"),
        ("~nosuchuser/a.png", "cannot read '~nosuchuser/a.png'"),
        ("\ud800.png", "surrogates"),
        ("file://elsewhere/a.png", "names another machine"),
        ("ftp://127.0.0.1/a.png", "only http, https, file and data are, not ftp"),
        ("data:image/png,abc", "base64"),
        ("data:image/png;base64,ab$c", "base64 is broken"),
        ("http://127.0.0.1:1/a.png", "cannot fetch"),
        ("http://[bad/a.png", "cannot fetch"),
        ("http:///a.png", "it names no host"),
        ("http://127.0.0.1:port/a.png", "nonnumeric port"),
        (b"bytes", "Pillow knows no such format"),
        (b"", "it is empty"),
        (io.StringIO("text"), "open the file with mode 'rb'"),
        (closed, "not a picture that can be read"),
        (None, "got NoneType"),
        ({"url": "x"}, "got dict"),
    ]:
        with pytest.raises(tam.PictureError, match=message):
            as_picture(given)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"<?xml version='1.0'?><svg xmlns='x'>", "SVG"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'{"error": "gone"}', "JSON"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x00\x00\x18ftypheic", "pip install pillow-heif"),
        (b"\x00\x00\x00\x18ftypisom", "pass it as video="),
        (b"\x1a\x45\xdf\xa3", "pass it as video="),
        (b"\x1f\x8b\x08", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"\x93NUMPY\x01", "numpy.load"),
    ],
)
def test_files_of_other_kinds_are_named_with_a_way_out(head, message):
    with pytest.raises(tam.PictureError, match=message):
        as_picture(head + bytes(64))


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    reader, writer = os.pipe()
    try:
        for given, message in [
            (tmp_path / "pipe", "it is a pipe"),
            (f"/dev/fd/{reader}", "it is a pipe"),
            ("/dev/zero", "it is a device"),
            (tmp_path / "loop", "symbolic links"),
        ]:
            with pytest.raises(tam.PictureError, match=message):
                as_picture(given)
        with os.fdopen(reader, "rb", closefd=False) as stream, pytest.raises(tam.PictureError, match="it is a pipe"):
            as_picture(stream)
    finally:
        os.close(reader)
        os.close(writer)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path, png, monkeypatch):
    sparse = tmp_path / "sparse.png"
    sparse.touch()
    os.truncate(sparse, limits.MOST_BYTES + 1)
    with sparse.open("rb") as file:
        for given in (sparse, file):
            with pytest.raises(tam.PictureError, match=r"1,024 MiB; the limit is 1,024 MiB"):
                as_picture(given)
    header = bytearray(png.read_bytes())
    header[16:24] = (13_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    for given in (bytes(header), np.broadcast_to(np.uint8(0), (13_000, 13_000))):
        with pytest.raises(tam.PictureError, match=r"13000×13000 pixels \(169.0 megapixels\); the limit is 134.2"):
            as_picture(given)
    with pytest.raises(tam.PictureError, match="1,000,000,000,000 values"):
        as_picture(torch.zeros(1).expand(10**6, 10**6))


@pytest.mark.filterwarnings("error")
def test_a_photo_of_108_megapixels_passes_without_a_warning():
    buffer = io.BytesIO()
    Image.new("L", (12_000, 9_000), 200).save(buffer, "JPEG")
    assert as_picture(buffer).size == (12_000, 9_000)


def test_a_jpeg_of_endless_scans_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "JPEG", progressive=True)
    jpeg = buffer.getvalue()
    last = jpeg.rindex(b"\xff\xda")
    with pytest.raises(tam.PictureError, match="more than 500 scans"):
        as_picture(jpeg[:last] + jpeg[last:-2] * 501 + jpeg[-2:])


def test_no_message_repeats_a_long_input():
    noise = base64.b64encode(np.random.default_rng(0).bytes(10**6)).decode()
    for given in (noise, f"data:image/png;base64,$$${noise}", f"data:image/png,{noise}", f"ftp://{noise}", "a" * 300):
        with pytest.raises(tam.PictureError) as raised:
            as_picture(given)
        assert len(str(raised.value)) < 400


def test_a_broken_second_page_does_not_matter():
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "TIFF", save_all=True, append_images=[Image.fromarray(RAMP[::-1])])
    tiff = bytearray(buffer.getvalue())
    first = int.from_bytes(tiff[4:8], "little")
    place = first + 2 + 12 * int.from_bytes(tiff[first : first + 2], "little")
    second = int.from_bytes(tiff[place : place + 4], "little")
    tiff[second : second + 40] = b"\xff" * 40
    np.testing.assert_array_equal(pixels(bytes(tiff)), RAMP)


def test_a_broken_avif_is_refused():
    buffer = io.BytesIO()
    try:
        Image.fromarray(RAMP).save(buffer, "AVIF")
    except (KeyError, OSError):
        pytest.skip("this Pillow writes no AVIF")
    content = buffer.getvalue()
    with pytest.raises(tam.PictureError, match="AVIF"):
        as_picture(content[: len(content) // 2] + bytes(len(content) // 2))


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


def test_an_animation_asks_for_a_frame(tmp_path):
    path = tmp_path / "moving.gif"
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(tam.PictureError, match="is animated"):
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
