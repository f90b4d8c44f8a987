"""The demo: scenes with exact masks, and a small vision-language model that was trained to talk about them."""

from tam_widget.demo.scenes import Scene, SceneObject, scene

__all__ = ["Scene", "SceneObject", "scene"]
