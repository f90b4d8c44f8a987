"""Arrays and tensors as pictures: every layout and type, and what could mean two things."""

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
