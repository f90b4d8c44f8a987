"""What a person may say to the processor: how pictures and videos are cut, and what the chat template shall know."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tam_widget.errors import PictureError, UnknownOptionError, UnsupportedModelError
from tam_widget.models.inputs.chat_template import template_variables

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["ProcessorOptions", "option_names"]

_OURS = frozenset(
    {"return_tensors", "return_metadata", "video_metadata", "do_sample_frames", "device", "data_format"}
    | {"input_data_format", "disable_grouping"}
)
"""What a processor takes beside settings; this package says these itself."""

_FRAMES = frozenset({"fps", "num_frames", "min_frames", "max_frames"})
_TEMPLATE_OURS = frozenset({"messages", "add_generation_prompt", "continue_final_message"})
_ABSORBED = frozenset({"min_pixels", "max_pixels"})  # made into a size when a processor is built; deprecated in a call


@dataclass(frozen=True, slots=True)
class ProcessorOptions:
    """Settings for one conversation, beside the processor's own.

    Attributes
    ----------
    image, video : mapping
        For the image and the video processor: those that ``AutoProcessor.from_pretrained`` would take for it.
    template : mapping
        Variables of the chat template, such as ``enable_thinking``.
    """

    image: Mapping[str, Any] = field(default_factory=dict)
    video: Mapping[str, Any] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, image: Any = None, video: Any = None, template: Any = None) -> ProcessorOptions:
        """Make them of three keywords of a person, each a mapping or None."""
        given = {"image_kwargs": image, "video_kwargs": video, "chat_template_kwargs": template}
        for name, options in given.items():
            if options is not None and not isinstance(options, Mapping):
                raise UnknownOptionError(f"{name} must be a mapping of names to values, got {type(options).__name__}")
        return cls(*({} if options is None else dict(options) for options in given.values()))

    def applied(self, processor: Any) -> Any:
        """Return the processor with these settings, for families and for every further call; the given one is left.

        Raises
        ------
        UnknownOptionError
            A name that neither processor nor template knows.
        UnsupportedModelError
            Settings for videos, which the processor does not take.
        PictureError
            A value that the image or video processor refuses.
        """
        if self.template:
            _check_template(processor, self.template)
        if not self.image and not self.video:
            return processor
        made = copy.copy(processor)
        for kind, options in (("image", self.image), ("video", self.video)):
            if options:
                part = getattr(processor, f"{kind}_processor", None)
                if part is None:
                    raise UnsupportedModelError(
                        f"{type(processor).__name__} has no {kind} processor, so {kind}_kwargs has nobody to go to"
                    )
                _check_names(part, kind, options)
                setattr(made, f"{kind}_processor", _rebuilt(part, kind, options))
                before = getattr(processor, f"{kind}s_kwargs", None) or {}
                if before:  # settings of the whole processor, which families read too
                    setattr(made, f"{kind}s_kwargs", {**before, **options})
        return made

    def in_call(self, kind: str) -> dict[str, Any]:
        """Return what a call must repeat: some processors have defaults that overrule their parts' settings."""
        options = self.image if kind == "image" else self.video
        return {name: value for name, value in options.items() if name not in _ABSORBED}


def option_names(part: Any) -> frozenset[str]:
    """Return the names of the settings that an image or video processor knows."""
    return frozenset(getattr(getattr(part, "valid_kwargs", None), "__annotations__", ())) - _OURS


def _rebuilt(part: Any, kind: str, options: Mapping[str, Any]) -> Any:
    """Build an image or video processor anew, as if it had been loaded with these settings."""
    try:
        return type(part).from_dict({**part.to_dict(), **options})
    except (ValueError, TypeError, KeyError) as error:
        raise PictureError(f"{type(part).__name__} refuses {kind}_kwargs={dict(options)!r}: {error}") from error


def _check_names(part: Any, kind: str, options: Mapping[str, Any]) -> None:
    known = option_names(part) - (_FRAMES if kind == "video" else frozenset())
    for name in options:
        if kind == "video" and name in _FRAMES:
            raise UnknownOptionError(
                f"video_kwargs has {name!r}, but the frames are taken before the processor sees them: use explain's "
                "fps=, or fps or nframes in the video's part of messages="
            )
        if name not in known:
            raise UnknownOptionError(f"{kind}_kwargs has {name!r}, which {type(part).__name__} {_hint(name, known)}")


def _check_template(processor: Any, options: Mapping[str, Any]) -> None:
    known = template_variables(processor) - _TEMPLATE_OURS
    for name in options:
        if name in _TEMPLATE_OURS:
            raise UnknownOptionError(f"chat_template_kwargs has {name!r}, which explain() says itself; leave it out")
        if name not in known:
            raise UnknownOptionError(f"chat_template_kwargs has {name!r}, which the chat template {_hint(name, known)}")


def _hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    if near:
        return f"does not know; did you mean {near[0]}?"
    return f"does not know; it knows {', '.join(sorted(known)) or 'none'}"
