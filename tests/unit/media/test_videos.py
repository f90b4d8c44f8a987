"""Videos: files and frames, and when each frame is seen."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

import tam_widget as tam
from tam_widget.media.videos import MOST_FRAMES, as_video


def write(path, *, frames, rate, size=(64, 48), level=lambda number: number % 256):
    """A file whose frames are grey, each of its own level."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(frames):
            grey = np.full((size[1], size[0], 3), level(number), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_two_frames_a_second_are_taken_from_a_file(tmp_path):
    video = as_video(write(tmp_path / "short.mp4", frames=50, rate=10, level=lambda n: 5 * n))
    assert video.times == pytest.approx([k / 2 for k in range(10)])
    assert (video.width, video.height) == (64, 48)
    for time, frame in zip(video.times, video.frames, strict=True):
        assert abs(np.asarray(frame).mean() - 50 * time) < 8  # ten frames a second, five levels each


def test_a_long_file_is_thinned_out_evenly(tmp_path):
    video = as_video(write(tmp_path / "long.mp4", frames=400, rate=10, level=lambda n: n % 256))
    assert MOST_FRAMES / 2 <= len(video.frames) <= MOST_FRAMES
    steps = np.diff(video.times)
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert video.times[-1] > 36


def test_as_many_frames_a_second_as_are_asked_for(tmp_path):
    path = write(tmp_path / "long.mp4", frames=400, rate=10)
    assert as_video(path, fps=1).times == pytest.approx(range(40))
    assert len(as_video(path, fps=100).frames) == 400  # there are no more


def test_given_frames_are_all_taken_at_the_given_rate():
    frames = np.zeros((5, 8, 12, 3), np.uint8)
    for given in (frames, torch.from_numpy(frames).permute(0, 3, 1, 2), [Image.fromarray(frame) for frame in frames]):
        video = as_video(given)
        assert [frame.size for frame in video.frames] == [(12, 8)] * 5
        assert video.times == (0, 0.5, 1, 1.5, 2)
    assert as_video(frames, fps=4).times == (0, 0.25, 0.5, 0.75, 1)
    assert as_video(video) is video
    assert "5 frames, 12×8 px, 0.0 to 2.0 s" in repr(video)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no frames"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], "must have one size; got 8×8, 9×8"),
        (np.zeros((8, 8, 3), np.uint8), r"\(frames, height, width, channels\)"),
        (3, "got int"),
        ("nowhere.mp4", "there is no file 'nowhere.mp4'"),
    ],
)
def test_what_is_no_video_is_refused(given, message):
    pytest.importorskip("av")
    with pytest.raises(tam.PictureError, match=message):
        as_video(given)


@pytest.mark.parametrize("fps", [0, -1, "2"])
def test_a_rate_must_be_positive(fps):
    with pytest.raises(tam.PictureError, match="fps must be a positive number"):
        as_video(np.zeros((2, 8, 8, 3), np.uint8), fps=fps)


def test_a_file_that_is_no_video_is_refused(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(tam.PictureError, match="not a video that can be read"):
        as_video(tmp_path / "text.mp4")


def test_without_pyav_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(tam.MissingDependencyError, match=r'pip install "tam-widget\[video\]"'):
        as_video(tmp_path / "any.mp4")
