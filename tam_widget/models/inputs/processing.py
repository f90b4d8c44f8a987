"""The processor's one call: a rendered conversation and its pictures and videos, to the model's inputs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature

from tam_widget.errors import LayoutError, PictureError, PromptError, UnsupportedModelError
from tam_widget.media.videos import Video
from tam_widget.models.inputs.processor_options import option_names
from tam_widget.models.inputs.tokenized import Replaced, listening, start_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tam_widget.models.inputs.parts import Medium, Shown
    from tam_widget.models.inputs.processor_options import ProcessorOptions

__all__ = ["Processed", "processed"]

_RESAMPLE = Image.Resampling.BICUBIC

_ASKED = {"Cosmos3EdgeProcessor"}
"""Processors that give ``mm_token_type_ids``, without which their models fail, only where they are asked for it.

That a processor lists it among its model's inputs says little: MiniMax M3's does, and its model refuses it.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Processed:
    """What the processor makes of one conversation.

    Attributes
    ----------
    inputs : dict
        Batch of one.
    offsets : list of (int, int)
        First and last + 1 character of each token, in the text with all placeholders written out.
    replaced : list of Replaced
        The placeholders, in the order of the text.
    start : int
        Where the rendered conversation begins in the text before the placeholders were written out: 0, but for a
        processor that writes something in front of it.
    """

    inputs: dict[str, Any]
    offsets: list[tuple[int, int]]
    replaced: list[Replaced]
    start: int


def processed(
    processor: Any, given: str, rendered: str, shown: Sequence[Shown], options: ProcessorOptions
) -> Processed:
    """Run the processor.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        With a fast tokenizer, and with the options applied.
    given, rendered : str
        What it takes, and what it makes of that before it writes the placeholders out.
    shown : sequence of Shown
        Pictures and videos, in order.
    options : ProcessorOptions
        Repeated in the call.

    Raises
    ------
    PictureError
        The processor refuses a picture, or a picture's or video's own size.
    PromptError
        A picture's or video's own size, which the processor does not take.
    UnsupportedModelError
        The processor takes no videos, or fails: it is incomplete or another model's.
    LayoutError
        It does not say where it put pictures and text.
    """
    if not getattr(processor.tokenizer, "is_fast", False):
        raise LayoutError(
            f"{type(processor.tokenizer).__name__} does not say which characters a token covers; load a fast tokenizer"
        )
    if any(isinstance(one.medium, Video) for one in shown) and getattr(processor, "video_processor", None) is None:
        raise UnsupportedModelError(
            f"{type(processor).__name__} takes no videos; pass some frames as a list of pictures instead"
        )
    processor, media = _in_own_sizes(processor, shown)
    call: dict[str, Any] = {
        "return_offsets_mapping": True,
        "return_text_replacement_offsets": True,
        "return_tensors": "pt",
        **_media_arguments(media, options),
    }
    if type(processor).__name__ in _ASKED:
        call["return_mm_token_type_ids"] = True
    bos = processor.tokenizer.bos_token
    if bos and rendered.startswith(bos):
        call["add_special_tokens"] = False  # the template has written it
    listener, heard = listening(processor)
    try:
        encoded = dict(listener(text=[given], **call))
    except (ValueError, ArithmeticError, RuntimeError) as error:
        sizes = ", ".join(f"{one.width}×{one.height}" for one in media)
        raise PictureError(f"{type(processor).__name__} refuses the pictures ({sizes} pixels): {error}") from error
    except (TypeError, AttributeError, LookupError, NameError) as error:
        raise UnsupportedModelError(_incomplete(processor, error)) from error
    offsets = encoded.pop("offset_mapping", None)
    replaced = encoded.pop("text_replacement_offsets", None)
    if offsets is None or not replaced:
        raise LayoutError(
            f"{type(processor).__name__} does not say where it put pictures and text (text_replacement_offsets)"
        )
    pairs = [(int(start), int(stop)) for start, stop in offsets[0]]
    found = [Replaced(r["type"], r["text"], tuple(r["span"]), tuple(r["new_span"])) for r in replaced[0]]
    found.sort(key=lambda one: one.old)
    tokenized = text_of(processor, encoded["input_ids"][0].tolist(), heard)
    return Processed(encoded, pairs, found, start_of(processor, rendered, tokenized, found))


def _incomplete(processor: Any, error: Exception) -> str:
    """Say what a processor that fails in its own code probably lacks."""
    name = type(processor).__name__
    missing = [
        setting
        for setting in ("patch_size", "vision_feature_select_strategy")
        if getattr(processor, setting, "") is None
    ]
    if missing:
        return (
            f"{name} has no {' and no '.join(missing)}, so it cannot work out how many tokens a picture takes; set "
            f"processor.{missing[0]} to what the model's configuration says, as in model.config.vision_config"
        )
    return (
        f"{name} fails on this conversation ({type(error).__name__}: {error}); is it this model's own, and complete? "
        "tam_widget.load() gives both"
    )


def _media_arguments(media: Sequence[Medium], options: ProcessorOptions) -> dict[str, Any]:
    """Return keywords for the processor. The frames are those that it shall use: it must not choose among them."""
    images = [medium for medium in media if not isinstance(medium, Video)]
    videos = [medium for medium in media if isinstance(medium, Video)]
    arguments: dict[str, Any] = {}
    if images:
        arguments["images"] = images
        if given := options.in_call("image"):
            arguments["images_kwargs"] = given
    if videos:
        from transformers.video_utils import VideoMetadata

        arguments["videos"] = [np.stack([np.asarray(frame) for frame in video.frames]) for video in videos]
        arguments["do_sample_frames"] = False
        arguments["video_metadata"] = [_metadata(VideoMetadata, video) for video in videos]
        # Some write each frame's time into the text, but do not ask their own video part for it.
        arguments["videos_kwargs"] = {"return_metadata": True, **options.in_call("video")}
    return arguments


def _metadata(kind: Any, video: Video) -> Any:
    """Say when each frame is seen, as a rate and indices: the same times in another spelling."""
    count = len(video.frames)
    span = video.times[-1] - video.times[0]
    rate = (count - 1) / span if count > 1 and span > 0 else 1.0
    return kind(
        total_num_frames=count,
        fps=rate,
        width=video.width,
        height=video.height,
        duration=count / rate,
        frames_indices=list(range(count)),
    )


# Sizes that a part of a message gives its own picture, as qwen-vl-utils reads them.


def _in_own_sizes(processor: Any, shown: Sequence[Shown]) -> tuple[Any, list[Medium]]:
    """Bring pictures and frames to the sizes that their parts ask for, and have the processor leave those alone."""
    media = [one.medium for one in shown]
    made = processor
    for kind in ("image", "video"):
        places = [k for k, medium in enumerate(media) if isinstance(medium, Video) == (kind == "video")]
        if not any(shown[k].size for k in places):
            continue
        made = copy.copy(processor) if made is processor else made
        part = getattr(processor, f"{kind}_processor")
        media = [_resized(one, part, shown[k].size) if k in places else one for k, one in enumerate(media)]
        kept = [{"do_resize": False} if shown[k].size else {} for k in places]
        setattr(made, f"{kind}_processor", _OneByOne(part, kept))
    return made, media


def _resized(medium: Medium, part: Any, size: Mapping[str, int]) -> Medium:
    if not size:
        return medium
    limits = {name for name, value in dict(getattr(part, "size", None) or {}).items() if value is not None}
    cells = all(isinstance(getattr(part, name, None), int) for name in ("patch_size", "merge_size"))
    if not cells or not {"shortest_edge", "longest_edge"} <= limits:
        raise PromptError(
            f"{type(part).__name__} shows pictures in sizes of its own and does not take {', '.join(size)} of one of "
            f"them; resize the picture, or use image_kwargs= or video_kwargs=: {', '.join(sorted(option_names(part)))}"
        )
    width, height = _size(medium, part, size)
    if isinstance(medium, Video):
        return replace(medium, frames=tuple(frame.resize((width, height), _RESAMPLE) for frame in medium.frames))
    return medium.resize((width, height), _RESAMPLE)


def _size(medium: Medium, part: Any, size: Mapping[str, int]) -> tuple[int, int]:
    """Return the width and height in whole cells that come nearest to what is asked for."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    cell = int(part.patch_size) * int(part.merge_size)
    limits = dict(part.size)
    most = size.get("max_pixels", max(limits["longest_edge"], size.get("min_pixels", 0)))
    least = size.get("min_pixels", min(limits["shortest_edge"], most))
    asked = (size.get("resized_height", medium.height), size.get("resized_width", medium.width))
    if "resized_height" in size:
        least, most = 1, asked[0] * asked[1] * cell**2
    try:
        height, width = smart_resize(*asked, factor=cell, min_pixels=least, max_pixels=most)
    except ValueError as error:
        raise PictureError(f"a picture of {medium.width}×{medium.height} pixels cannot be resized: {error}") from error
    return max(cell, width), max(cell, height)


class _OneByOne:
    """An image or video processor that treats each of its inputs with settings of their own, and joins what it made.

    Parameters
    ----------
    plain
        The processor that does the work.
    settings : list of dict
        Keywords for each input.
    """

    def __init__(self, plain: Any, settings: list[dict[str, Any]]) -> None:
        self._plain = plain
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def __call__(self, given: Any, *, video_metadata: Any = None, **options: Any) -> Any:
        """Return the batch of all inputs; what was made of each stands in order."""
        made = []
        for k, (one, own) in enumerate(zip(given, self._settings, strict=True)):
            about = {} if video_metadata is None else {"video_metadata": [video_metadata[k]]}
            made.append(self._plain([one], **{**options, **about, **own}))
        joined = {}
        for name in made[0]:
            values = [one[name] for one in made]
            joined[name] = torch.cat(values) if isinstance(values[0], torch.Tensor) else [*chain.from_iterable(values)]
        return BatchFeature(joined)
