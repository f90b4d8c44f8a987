"""Hooks that go when they should, also where Ctrl-C comes at any moment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

__all__ = ["without_hooks_after"]


@contextmanager
def without_hooks_after(owner: object, modules: Sequence[nn.Module]) -> Iterator[None]:
    """Take an object's hooks off some modules in the end, whatever happens.

    They are found by whom they belong to, as its bound methods: where Ctrl-C comes while a hook is registered, nobody
    has its handle.

    Parameters
    ----------
    owner : object
        Whose methods are registered, within the ``with``.
    modules : sequence of torch.nn.Module
        Where.
    """
    try:
        yield
    finally:
        try:
            _unhook(owner, modules)
        finally:  # once more: Ctrl-C may have come in between, and it does not come twice in a microsecond
            _unhook(owner, modules)


def _unhook(owner: object, modules: Sequence[nn.Module]) -> None:
    for module in modules:
        for kind in ("_forward_hooks", "_forward_pre_hooks"):
            hooks, with_kwargs = getattr(module, kind), getattr(module, f"{kind}_with_kwargs")
            for key in [key for key, hook in list(hooks.items()) if getattr(hook, "__self__", None) is owner]:
                with_kwargs.pop(key, None)
                hooks.pop(key, None)
