"""Input tensors against the slow and plain way to make them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.model_input import ModelInput
from detectors.pixels import MOST_SIZES, PixelBuffers

MEAN, STD = (10.0, 20.0, 30.0), (2.0, 3.0, 4.0)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def slowly(bgr, wanted, size):
    """(1, ...) float64."""
    width, height = size
    canvas = np.full((height, width, 3), wanted.padding, np.uint8)
    place = wanted.placement(bgr.shape[1], bgr.shape[0], size)
    canvas[place.top : place.top + place.height, place.left : place.left + place.width] = cv2.resize(
        bgr, (place.width, place.height)
    )
    colours = canvas[:, :, ::-1] if wanted.colour == "rgb" else canvas
    normalised = (colours.astype(np.float64) - wanted.mean) / wanted.std
    return (normalised if wanted.layout == "nhwc" else normalised.transpose(2, 0, 1))[None]


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("colour", ["bgr", "rgb"])
@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_tensor_is_what_the_card_says(layout, colour, fit, dtype):
    normalised = {"mean": MEAN, "std": STD} if dtype is np.float32 else {}
    wanted = ModelInput(width=96, height=64, layout=layout, colour=colour, fit=fit, **normalised)
    buffers = PixelBuffers(wanted, dtype)
    # The second picture has another shape: nothing of the first may be left at its border.
    for bgr in (picture(90, 333), picture(200, 100), picture(64, 96)):
        tensor = buffers.fill(bgr, (96, 64))
        assert tensor.dtype == dtype
        assert tensor.flags.c_contiguous
        np.testing.assert_allclose(tensor, slowly(bgr, wanted, (96, 64)), atol=1e-4)


def test_a_region_of_a_picture_is_taken_without_a_copy_of_its_own():
    whole = picture(300, 400)
    tensor = PixelBuffers(ModelInput(width=96, height=64, free=32), np.uint8).fill(
        whole[7:71, 5:101], (96, 64)
    )
    np.testing.assert_array_equal(tensor[0], whole[7:71, 5:101].transpose(2, 0, 1))


def test_sizes_that_alternate_keep_their_tensors_and_there_are_never_many():
    buffers = PixelBuffers(ModelInput(width=96, height=64, free=32), np.uint8)
    sizes = [(32 * k, 32) for k in range(1, MOST_SIZES + 1)]
    first = [buffers.fill(picture(40, 40), size) for size in sizes]
    assert all(
        buffers.fill(picture(50, 40), size) is tensor for size, tensor in zip(sizes, first, strict=True)
    )
    buffers.fill(picture(40, 40), (64, 64))
    assert buffers.fill(picture(40, 40), sizes[-1]) is first[-1]
    assert buffers.fill(picture(40, 40), sizes[0]) is not first[0], (
        "the one that was not used for longest went"
    )


def test_raw_pixels_cannot_be_normalised():
    with pytest.raises(ValueError, match="raw pixels"):
        PixelBuffers(ModelInput(width=96, height=64, std=STD), np.uint8)


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([(416, 416), (640, 384), (96, 320)]))
def test_a_letterbox_holds_the_whole_picture_in_its_shape(width, height, size):
    place = ModelInput(width=416, height=416, fit="letterbox").placement(width, height, size)
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= size[0]
    assert place.top + place.height <= size[1]
    assert place.width == size[0] or place.height == size[1]
    corners = np.array(
        [[place.left, place.top, place.left + place.width, place.top + place.height]], np.float32
    )
    np.testing.assert_allclose(place.to_picture(corners, width, height), [[0, 0, width, height]], atol=1e-3)
