"""The demo: scenes with exact masks, and small vision-language models that were trained to talk about them."""

from tam_widget.demo.photographs import Photo, photo
from tam_widget.demo.scenery.held_out import Scene, SceneObject, scene, scenes
from tam_widget.demo.shortcut import ShortcutScene, learn_shortcut, shortcut_scenes

__all__ = [
    "Photo",
    "Scene",
    "SceneObject",
    "ShortcutScene",
    "learn_shortcut",
    "photo",
    "scene",
    "scenes",
    "shortcut_scenes",
]
