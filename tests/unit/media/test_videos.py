"""Videos: files and frames, and when each frame is seen."""

import base64
import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import tam_widget as tam
from tam_widget.media import limits, sampling, videos
from tam_widget.media.videos import MOST_FRAMES, as_video


def write(path, *, frames, rate, size=(64, 48), level=lambda number: number % 256, codec="mpeg4", gop=12, kind=None):
    """A file whose frames are grey, each of its own level."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.gop_size = gop
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


def test_a_file_is_taken_in_every_form(tmp_path):
    path = write(tmp_path / "short.mp4", frames=20, rate=10)
    content = path.read_bytes()
    encoded = base64.b64encode(content).decode()
    with path.open("rb") as file:
        for given in (path.as_uri(), content, io.BytesIO(content), file, f"data:video/mp4;base64,{encoded}", encoded):
            assert as_video(given).times == pytest.approx((0, 0.5, 1, 1.5))


def decoded_frames(monkeypatch, read):
    """What reading returns, and how many frames were decoded for it."""
    count, check = 0, limits.Deadline.check

    def counted(deadline, name):
        nonlocal count
        count += 1
        check(deadline, name)

    with monkeypatch.context() as patched:
        patched.setattr(limits.Deadline, "check", counted)
        return read(), count


def test_of_a_film_only_what_is_near_its_frames_is_decoded(tmp_path, monkeypatch):
    film = write(tmp_path / "film.mp4", frames=6000, rate=5, size=(16, 16), level=lambda n: n // 50 * 2, gop=25)
    video, count = decoded_frames(monkeypatch, lambda: as_video(film))
    assert count < 1000
    steps = np.diff(video.times)
    assert MOST_FRAMES / 2 <= len(video.frames) <= MOST_FRAMES
    assert steps == pytest.approx([steps[0]] * len(steps), abs=0.2)
    assert video.times[-1] > 1100
    for time, frame in zip(video.times, video.frames, strict=True):
        assert abs(np.asarray(frame).mean() - time * 5 // 50 * 2) < 8
    video, count = decoded_frames(monkeypatch, lambda: as_video(film, fps=1 / 100))
    assert video.times == pytest.approx(range(0, 1200, 100), abs=0.2)
    assert count < 500


def test_a_film_with_one_key_frame_is_decoded_a_few_times_at_most(tmp_path, monkeypatch):
    film = write(tmp_path / "film.mp4", frames=1000, rate=5, size=(16, 16), codec="libx264", gop=10_000)
    video, count = decoded_frames(monkeypatch, lambda: as_video(film))
    steps = np.diff(video.times)
    assert steps == pytest.approx([steps[0]] * len(steps), abs=0.2)
    assert video.times[-1] > 180
    assert count < 4000


def test_a_film_that_ends_before_it_says_so_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "film.avi", frames=300, rate=5, size=(16, 16), gop=10)
    content = bytearray(path.read_bytes())
    for place in (content.index(b"avih") + 8 + 16, content.index(b"strh") + 8 + 32):
        assert content[place : place + 4] == (300).to_bytes(4, "little")
        content[place : place + 4] = (300_000).to_bytes(4, "little")
    video = as_video(bytes(content))
    assert len(video.frames) >= MOST_FRAMES / 2
    assert video.times[-1] > 50


def test_a_bare_stream_has_times_too(tmp_path):
    path = write(tmp_path / "bare.h264", frames=20, rate=10, codec="libx264", kind="h264")
    assert as_video(path).times == pytest.approx((0, 0.5, 1, 1.5))


def test_frames_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "long.mp4", frames=100, rate=10)
    monkeypatch.setattr(sampling, "MOST_VIDEO_PIXELS", 64 * 48 * 20)
    with pytest.raises(tam.PictureError, match=r"fps=10 takes more than 20 frames of 64×48 .* such as fps=2"):
        as_video(path, fps=10)
    assert len(as_video(path, fps=2).frames) == 20
    assert 10 <= len(as_video(path).frames) <= 20
    monkeypatch.setattr(videos, "MOST_VIDEO_PIXELS", 8 * 12 * 4)
    frames = np.zeros((5, 8, 12, 3), np.uint8)
    for given in (frames, torch.from_numpy(frames).permute(0, 3, 1, 2), list(frames)):
        with pytest.raises(tam.PictureError, match="give fewer, or scale them down"):
            as_video(given)
    assert len(as_video(frames[:4]).frames) == 4


def test_a_video_is_given_up_in_time(tmp_path, monkeypatch):
    path = write(tmp_path / "long.mp4", frames=20, rate=10)
    monkeypatch.setattr(videos, "VIDEO_DEADLINE_S", 0.0)
    with pytest.raises(tam.PictureError, match=r"long.mp4' took longer than 0 s"):
        as_video(path)


def test_a_playlist_opens_no_other_file(tmp_path):
    path = write(tmp_path / "secret.mp4", frames=20, rate=10)
    lists = {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{path.as_uri()}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": "ffconcat version 1.0\nfile secret.mp4\n",
    }
    for name, content in lists.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(tam.PictureError, match="not a video that can be read"):
            as_video(tmp_path / name)


def test_several_videos_are_refused_with_the_messages_that_would_work(tmp_path):
    path = write(tmp_path / "short.mp4", frames=20, rate=10)
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    for video in (
        path,
        str(path),
        path.read_bytes(),
        "https://127.0.0.1/a.webm?x=1",
        frames,
        list(frames),
        as_video(path),
    ):
        with pytest.raises(tam.PictureError, match='"type": "video", "video": second') as raised:
            as_video([video, video])
        assert len(str(raised.value)) < 400


def test_what_dark_frames_mean_their_neighbours_show():
    frames = np.zeros((2, 4, 4, 1), np.uint16)
    frames[0], frames[1] = 200, 60_000
    dark, bright = as_video(frames).frames
    assert np.asarray(dark).max() == 1
    assert np.asarray(bright).min() > 230
    with pytest.raises(tam.PictureError, match="astype"):
        as_video(frames[:1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no frames"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], "must have one size; got 8×8, 9×8"),
        (np.zeros((8, 8, 3), np.uint8), r"\(frames, height, width, channels\)"),
        (np.full((2, 8, 8, 3), np.nan), "NaN"),
        (torch.zeros(2, 3, 8, 8, device="meta"), "meta device"),
        ([Image.new("RGB", (8, 8)), "nowhere.png"], "frame 1 of the video: there is no file 'nowhere.png'"),
        (b"<!DOCTYPE html>", "web page"),
        ("", "an empty text names no file"),
        ("/dev/zero", "it is a device"),
        (3, "got int"),
        ("nowhere.mp4", "there is no file 'nowhere.mp4'"),
    ],
)
def test_what_is_no_video_is_refused(given, message):
    pytest.importorskip("av")
    with pytest.raises(tam.PictureError, match=message):
        as_video(given)


@pytest.mark.parametrize("fps", [0, -1, "2", float("inf"), float("nan")])
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
