"""The processors of the demo models, which need no torchvision: pictures, and the frames of videos, through Pillow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from transformers import AutoImageProcessor, AutoTokenizer, LlavaProcessor, Qwen2VLProcessor
from transformers.video_utils import make_batched_videos

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["DemoProcessor", "DemoVideoProcessor", "demo_processor"]

_LLAVA_SETTINGS = ("patch_size", "vision_feature_select_strategy", "num_additional_image_tokens")


class _VideoSettings(TypedDict, total=False):
    size: dict[str, int] | None
    min_pixels: int | None
    max_pixels: int | None
    do_resize: bool | None


class DemoVideoProcessor:
    """Frames to Qwen2-VL's pixels by its image processor; every frame given is taken.

    Parameters
    ----------
    image_processor : Qwen2VLImageProcessorPil
        Resizes, normalises and cuts each frame.
    settings : mapping
        ``video_preprocessor_config.json`` of the model: ``size``, the fewest and the most pixels of a frame
        (``min_pixels`` and ``max_pixels`` say the same), and whether frames are resized at all (``do_resize``).
    """

    valid_kwargs = _VideoSettings

    def __init__(self, image_processor: Any, settings: Mapping[str, Any]) -> None:
        self.patch_size = int(image_processor.patch_size)
        self.merge_size = int(image_processor.merge_size)
        self.temporal_patch_size = int(image_processor.temporal_patch_size)
        self.size = dict(settings["size"])
        for name, edge in (("min_pixels", "shortest_edge"), ("max_pixels", "longest_edge")):
            if settings.get(name) is not None:
                self.size[edge] = int(settings[name])
        self.do_resize = settings.get("do_resize") is not False
        self._image_processor = image_processor

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` makes the same processor of."""
        return {"image_processor": self._image_processor, "size": self.size, "do_resize": self.do_resize}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> DemoVideoProcessor:
        """Make a processor of settings."""
        return cls(settings["image_processor"], settings)

    def __call__(self, videos: Any, *, do_resize: bool | None = None, **_: Any) -> dict[str, torch.Tensor]:
        """Return ``pixel_values_videos``, the patches of all videos, and ``video_grid_thw``, their numbers."""
        resize = self.do_resize if do_resize is None else do_resize
        made = [self._one(list(video), do_resize=resize) for video in make_batched_videos(videos)]
        return {
            "pixel_values_videos": torch.cat([pixels for pixels, _ in made]),
            "video_grid_thw": torch.stack([grid for _, grid in made]),
        }

    def _one(self, frames: list[Any], *, do_resize: bool) -> tuple[torch.Tensor, torch.Tensor]:
        together = self.temporal_patch_size
        frames += frames[-1:] * (-len(frames) % together)  # as Qwen2-VL does, the last one stands still
        made = self._image_processor(frames, size=self.size, do_resize=do_resize, return_tensors="pt")
        _, rows, columns = made["image_grid_thw"][0].tolist()
        groups = len(frames) // together
        # A still picture's patches hold it once for each frame of a group: take from each frame the time it stands at.
        still = made["pixel_values"].view(groups, together, rows * columns, -1, together, self.patch_size**2)
        pixels = torch.stack([still[:, time, :, :, time] for time in range(together)], 3)
        return pixels.reshape(groups * rows * columns, -1), torch.tensor([groups, rows, columns])


class DemoProcessor(Qwen2VLProcessor):  # type: ignore[misc]  # transformers is not followed by mypy
    """Qwen2-VL's processor, with a video part of its own."""

    # ProcessorMixin reads the list of its parts off this signature, and takes a video part of its own kind only.
    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, frames: Any = None
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)
        if frames is not None:
            self.video_processor = frames


def demo_processor(folder: Path) -> Any:
    """Make the processor of a demo model from its folder.

    Parameters
    ----------
    folder : Path
        With the model's configuration and what its tokenizer and its image processor saved; for LLaVA also
        ``processor_config.json``, and for a Qwen2-VL that reads videos ``video_preprocessor_config.json``.

    Returns
    -------
    DemoProcessor or transformers.LlavaProcessor
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    images = AutoImageProcessor.from_pretrained(folder, backend="pil")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    if _read(folder / "config.json")["model_type"] == "llava":
        saved = _read(folder / "processor_config.json")
        settings = {name: saved[name] for name in _LLAVA_SETTINGS}
        return LlavaProcessor(images, tokenizer, **settings, chat_template=template)
    videos = folder / "video_preprocessor_config.json"
    frames = DemoVideoProcessor(images, _read(videos)) if videos.is_file() else None
    return DemoProcessor(images, tokenizer, template, frames)


def _read(file: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return settings
