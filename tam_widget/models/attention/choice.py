"""An attention of another name that stands for the one the user chose: it computes the same, and somebody listens.

transformers looks the attention and its mask up by the name in a configuration. Here the text's configuration gets a
name of our own for the time of a run; the function behind it calls the user's choice and shows a listener what passed.
Nothing that is registered under another name is touched.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

__all__ = ["Listener", "heard", "switched", "text_configurations"]

_HEARD: dict[int, tuple[Listener, int]] = {}
"""Who listens to which module, by its id, and which layer it is."""


class Listener(Protocol):
    """Who is shown what an attention was given and returned."""

    def take(  # noqa: PLR0917 - what transformers' attention interface has
        self,
        layer: int,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        output: Tensor,
        options: Mapping[str, Any],
    ) -> None:
        """Look, and change nothing."""
        ...


class _Standing(str):
    """A name that is equal to the choice it stands for too, so that a model that asks for "sdpa" finds it."""

    __slots__ = ("choice",)
    choice: str

    def __new__(cls, choice: str) -> Self:
        made = super().__new__(cls, f"tam_widget_{choice}")  # a "flash" in the choice stays in the name
        made.choice = choice
        return made

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True or self.choice == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (self.choice,)  # a copy of the configuration has the user's choice


def text_configurations(model: Any, decoder: nn.Module) -> list[Any]:
    """Return the configurations that the text decoder's attention is looked up by; the vision tower has its own."""
    found = [model.config.get_text_config(), *(getattr(module, "config", None) for module in decoder.modules())]
    return list({id(one): one for one in found if hasattr(one, "_attn_implementation_internal")}.values())


@contextmanager
def switched(configurations: Sequence[Any], names: Sequence[str]) -> Iterator[None]:
    """Give configurations another attention, one name each, and back in the end, whatever happens."""
    before = [one._attn_implementation_internal for one in configurations]  # noqa: SLF001 - its setter reaches further
    try:
        _set(configurations, names)
        yield
    finally:
        try:
            _set(configurations, before)
        finally:  # once more: Ctrl-C may have come in between, and it does not come twice in a microsecond
            _set(configurations, before)


def _set(configurations: Sequence[Any], names: Sequence[str]) -> None:
    for one, name in zip(configurations, names, strict=True):
        one._attn_implementation_internal = name  # noqa: SLF001 - as above


@contextmanager
def heard(model: Any, decoder: Any, listener: Listener) -> Iterator[None]:
    """Show a listener every call of the text decoder's attention, by the layer that it belongs to."""
    configurations = text_configurations(model, decoder)
    names = [_standing_for(one._attn_implementation) for one in configurations]  # noqa: SLF001 - no public question
    modules = {id(part): index for index, layer in enumerate(decoder.layers) for part in layer.modules()}
    try:
        _HEARD.update({key: (listener, index) for key, index in modules.items()})
        with switched(configurations, names):
            yield
    finally:
        for key in modules:
            _HEARD.pop(key, None)


def _standing_for(choice: str | None) -> str:
    name = _Standing(choice or "eager")
    if str.__str__(name) not in AttentionInterface._global_mapping:  # noqa: SLF001 - there is no public question
        AttentionInterface.register(str.__str__(name), partial(_attend, name.choice))
        if name.choice in ALL_MASK_ATTENTION_FUNCTIONS:  # an attention without a mask of its own gets none
            AttentionMaskInterface.register(str.__str__(name), ALL_MASK_ATTENTION_FUNCTIONS[name.choice])
    return name


def _attend(  # noqa: PLR0917 - what transformers' attention interface has
    choice: str, module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, *more: Any, **options: Any
) -> Any:
    home = sys.modules[type(module).__module__]
    known = getattr(home, "ALL_ATTENTION_FUNCTIONS", ALL_ATTENTION_FUNCTIONS)
    inner = known.get_interface(choice, getattr(home, "eager_attention_forward", None))
    if "flash" in choice:  # flash attention looks its kernel up by the name in the configuration
        with switched([module.config], [choice]):
            result = inner(module, query, key, value, mask, *more, **options)
    else:
        result = inner(module, query, key, value, mask, *more, **options)
    listener, layer = _HEARD.get(id(module), (None, 0))
    if listener is not None:
        listener.take(layer, module, query, key, value, mask, result[0], options)
    return result
