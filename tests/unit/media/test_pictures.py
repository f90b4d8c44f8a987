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
        (np.full((4, 4, 3), np.nan), "48 of the picture's 48 values are NaN or infinite"),
        (np.array([[0.5, np.inf]]), "1 of the picture's 2 values are NaN or infinite"),
        (np.full((4, 4), 200, np.uint16), r"pass array.astype\(numpy.uint8\)"),
        (np.ma.masked_less(RAMP, 3), "masked"),
        (np.full((4, 4), None), "array of object"),
        (np.zeros(()), "is no picture"),
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


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(3, 4, 4, device="meta"), "meta device"),
        (torch.zeros(4, 4).to_sparse(), "to_dense"),
        (torch.zeros(4, 4, dtype=torch.complex64), "complex64"),
        (torch.full((4, 4), 200, dtype=torch.uint16), "astype"),
        (torch.full((4, 4), torch.nan), "NaN"),
    ],
    ids=str,
)
def test_tensors_without_plain_values_are_refused(tensor, message):
    with pytest.raises(tam.PictureError, match=message):
        as_picture(tensor)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # torch says quantised ones will go
def test_quantised_and_nested_tensors_are_refused():
    with pytest.raises(tam.PictureError, match="dequantize"):
        as_picture(torch.quantize_per_tensor(torch.rand(3, 4, 4), 0.1, 0, torch.quint8))
    with pytest.raises(tam.PictureError, match="nested"):
        as_picture(torch.nested.nested_tensor([torch.rand(4, 4), torch.rand(3, 4)]))


def test_subclasses_of_arrays_and_tensors_are_taken():
    class Tagged(torch.Tensor):
        """As torchvision's tv_tensors.Image."""

    planes = torch.tensor(RAMP).permute(2, 0, 1)
    np.testing.assert_array_equal(pixels(planes.as_subclass(Tagged)), RAMP)
    np.testing.assert_array_equal(pixels(torch.nn.Parameter(planes / 255)), RAMP)
    np.testing.assert_array_equal(pixels(np.ma.masked_array(RAMP)), RAMP)


def test_arrays_of_other_libraries_are_taken():
    class Array:
        shape = RAMP.shape

        def __array__(self, dtype=None, copy=None):
            return RAMP

    class Elsewhere(Array):
        def __array__(self, dtype=None, copy=None):
            raise TypeError("it lies on a GPU")

    np.testing.assert_array_equal(pixels(Array()), RAMP)
    with pytest.raises(tam.PictureError, match="Elsewhere cannot be read: it lies on a GPU"):
        as_picture(Elsewhere())


def test_dark_pictures_of_16_bits_are_taken_where_a_file_says_so(tmp_path):
    dark = np.full((2, 2), 200, np.uint16)
    for name in ("dark.png", "dark.tif"):
        Image.fromarray(dark).save(tmp_path / name)
        assert (pixels(tmp_path / name) == 1).all()
    assert (pixels(np.zeros((2, 2), np.uint16)) == 0).all()


def test_large_floats_are_converted_in_parts():
    wide = np.linspace(0, 1, 5_000_000, dtype=np.float32).reshape(2500, 2000)
    np.testing.assert_array_equal(pixels(wide)[..., 0], np.rint(wide.astype(float) * 255))


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
