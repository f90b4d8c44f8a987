"""What widgets begin with: the settings that were chosen last, in this kernel."""

from __future__ import annotations

from typing import Any

from tam_widget.widget.settings import Settings

__all__ = ["Remembered", "settings"]

_COMPUTED = frozenset(("causal_inference", "kernel_size", "part"))
"""Not remembered of what is set in a page: a later map would be another than the published one, without a word."""


class Remembered(Settings):
    """The settings that the next widgets begin with, as ``tam_widget.settings``.

    What looks otherwise after a change in a page (colours, strength, words or tokens, …) looks so in the widgets that
    are made later, too. From Python any setting of :class:`tam_widget.widget.settings.Settings` can be set for all of
    them; widgets that are there already keep theirs.

    Examples
    --------
    >>> import tam_widget as tam
    >>> tam.settings.paint = "spotlight"
    >>> tam.settings.reset()
    """

    pictures = ({"grid": (2**15, 2**15)},)  # each widget checks what its own are too small for

    def __setattr__(self, name: str, value: Any) -> None:
        """Set one; a name that is none would be set and have no effect."""
        if not name.startswith("_") and name not in (*self.setting_names(), "colormaps"):
            raise AttributeError(f"there is no setting {name!r}; there are {', '.join(self.setting_names())}")
        super().__setattr__(name, value)

    def reset(self) -> None:
        """Forget: the next widgets begin as the first one did."""
        for name in self.setting_names():
            setattr(self, name, self.traits()[name].default())

    def changed(self) -> dict[str, Any]:
        """Return what is not as at first."""
        now = {name: getattr(self, name) for name in self.setting_names()}
        return {name: value for name, value in now.items() if value != self.traits()[name].default()}

    def learn(self, given: dict[str, Any]) -> None:
        """Remember how things are to look by what was set in a page."""
        for name in (given.keys() & set(self.setting_names())) - _COMPUTED:
            setattr(self, name, given[name])

    def __repr__(self) -> str:
        """Return what is not as at first."""
        changed = ", ".join(f"{name}={value!r}" for name, value in self.changed().items())
        return f"<settings: {changed or 'as at first'}>"


settings = Remembered()
