"""What the conformance tests need to know of a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from tam_widget.demo.training.families.qwen import Qwen2VL

torch.set_num_threads(1)  # models this small only wait for their helpers, above all on a busy machine

CORPUS = [
    "Describe the image. What color is the star? Where is the circle? user assistant system",
    "A small red circle is left of a large blue square. There are two crosses. Is it an orange star? the circles",
    "circle\nCircle\n Circle\nthe\nThe\n The\nis\nIs\nred\nRed\n Red\nstar\nStar\n Star\nof\nOf\n Of\n",
] * 4


@dataclass(frozen=True)
class Case:
    """One family in one configuration.

    Attributes
    ----------
    family
        The model type, ``config.model_type``.
    build
        Makes a model of the real class with random weights, in float32, for evaluation.
    processor
        Makes the real processor.
    sizes
        Pictures (width, height) of at least two aspect ratios.
    blind
        Takes from the model everything by which a vision token could know of other places than its own.
    tiled
        The sizes at which the picture is cut into tiles, crops or any-resolution parts.
    overlapping
        Whether tokens are interpolated, so that each is made from more than its cell.
    several, video, turns
        Whether the family takes several pictures, a video, a conversation of several turns.
    name
        Tells configurations of one family apart.
    tower
        ``config.vision_config.model_type``, where the family is for models with this tower alone.
    """

    family: str
    build: Callable[[], Any]
    processor: Callable[[], Any]
    sizes: tuple[tuple[int, int], ...]
    blind: Callable[[Any], None]
    tiled: tuple[tuple[int, int], ...] = ()
    overlapping: bool = False
    several: bool = True
    video: bool = False
    turns: bool = True
    name: str = ""
    tower: str | None = None
    made: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    def __str__(self) -> str:
        return self.name or self.family

    def pair(self) -> tuple[Any, Any]:
        """Return the model and the processor, built once a session; leave them as they are."""
        if "pair" not in self.made:
            torch.manual_seed(0)
            model = self.build().eval()
            # Of random weights a placeholder is as likely an answer as any word.
            named = (getattr(model.config, f"{kind}_token_id", None) for kind in ("image", "video"))
            model.generation_config.suppress_tokens = [token for token in named if token is not None] or None
            self.made["pair"] = (model, self.processor())
        return self.made["pair"]

    def blind_pair(self) -> tuple[Any, Any]:
        """Return a second, blinded model with the same processor."""
        if "blind" not in self.made:
            torch.manual_seed(0)
            model = self.build().eval()
            self.blind(model)
            self.made["blind"] = model
        return self.made["blind"], self.pair()[1]


def silence(modules) -> None:
    """Let modules return zeros: what was added to the residual stream by attention is nothing any more."""
    for module in modules:
        module.register_forward_hook(_zeros)


def in_proportion(module) -> None:
    """Add a large constant to what a patch embedding returns, so that tokens follow their pixels in proportion.

    Beside it, the norms scale all tokens alike; the one whose pixels changed most then changes most.
    """

    def add(_module, _args, output):
        return output + 20 * torch.randn(output.shape[-1], generator=torch.Generator().manual_seed(0))

    module.register_forward_hook(add)


def _zeros(_module, _args, output):
    if isinstance(output, tuple):
        return (torch.zeros_like(output[0]), *output[1:])
    return torch.zeros_like(output)


@cache
def qwen_tokenizer():
    made = Qwen2VL().tokenizer(CORPUS, vocabulary_size=480)
    made.chat_template = None  # each family has its own
    return made


def words(*special: str, named: dict[str, str] | None = None, bos: str | None = None, **options):
    """Return a byte-level BPE tokenizer with a family's own special tokens.

    ``named`` gives tokens that the processor asks the tokenizer for by attribute: ``{"image_token": "<image>"}`` makes
    ``tokenizer.image_token`` and ``tokenizer.image_token_id``.
    """
    named = named or {}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=qwen_tokenizer().backend_tokenizer.__class__.from_str(
            qwen_tokenizer().backend_tokenizer.to_str()
        ),
        eos_token="<|im_end|>",  # noqa: S106
        pad_token="<|endoftext|>",  # noqa: S106
        bos_token=bos,
        extra_special_tokens=named,
        **options,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [*special]}, replace_extra_special_tokens=False)
    return tokenizer


def template(picture: str = "<image>", video: str = "<video>") -> str:
    """A ChatML template that writes placeholders where pictures stand."""
    return (
        "{% for message in messages %}"
        "<|im_start|>{{ message['role'] }}\n"
        "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}"
        "{% if content['type'] == 'image' %}" + picture + "{% elif content['type'] == 'video' %}" + video + ""
        "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


def decoder(tokens, **options) -> dict[str, Any]:
    """A small text decoder's configuration, for a tokenizer's words."""
    return {
        "vocab_size": len(tokens) + 13,  # heads are padded
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.3,
        "bos_token_id": tokens.bos_token_id,
        "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id,
        **options,
    }


def tower(**options) -> dict[str, Any]:
    """A small vision tower's configuration."""
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        **options,
    }
