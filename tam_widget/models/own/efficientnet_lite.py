"""EfficientNet-Lite0 as a vision tower: transformers' own EfficientNet has squeeze-and-excitation in every block.

`EfficientNet-Lite <https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite>`_ is EfficientNet
without it and with ReLU6. Here the batch norms are part of the convolutions before them, and the last stage keeps the
resolution of the stage before: its kernels are dilated instead, so that a picture of 224×224 pixels gives 14×14
features, not 7×7. Where a feature lies is added to it, by row and by column: a decoder that gets the features in one
row would have to count.

Importing this module makes the tower known to ``AutoConfig`` and ``AutoModel``; ``known.py`` sees to it that it is
imported in time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

__all__ = ["FEATURES", "EfficientNetLiteConfig", "EfficientNetLiteModel"]

_STEM = 32
# Of each stage: blocks, kernel, stride of the first block, expansion, channels, dilations of the first and of others.
_STAGES = (
    (1, 3, 1, 1, 16, (1, 1)),
    (2, 3, 2, 6, 24, (1, 1)),
    (2, 5, 2, 6, 40, (1, 1)),
    (3, 3, 2, 6, 80, (1, 1)),
    (3, 5, 1, 6, 112, (1, 1)),
    (4, 5, 1, 6, 192, (1, 2)),  # its stride was 2
    (1, 3, 1, 6, 320, (2, 2)),
)
FEATURES = 320
"""Channels of what :meth:`EfficientNetLiteModel.features` returns."""


class EfficientNetLiteConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is not followed by mypy
    """What there is to know of the tower.

    Parameters
    ----------
    image_size : int
        Width and height of the pictures in pixels; a multiple of `patch_size`.
    patch_size : int
        How many pixels, each way, lie between one feature and the next; 16 is all that there is.
    hidden_size : int
        Channels of a feature.
    """

    model_type = "efficientnet_lite"

    image_size: int = 224
    patch_size: int = 16
    hidden_size: int = 1280


class EfficientNetLiteModel(PreTrainedModel):  # type: ignore[misc]
    """EfficientNet-Lite0 without its classifier.

    Parameters
    ----------
    config : EfficientNetLiteConfig
    """

    config_class = EfficientNetLiteConfig
    base_model_prefix = "efficientnet_lite"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _no_split_modules = ("_Block",)

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__(config)
        self.stem = nn.Conv2d(3, _STEM, 3, stride=2)
        blocks, channels = [], _STEM
        for count, kernel, stride, expansion, wide, dilations in _STAGES:
            for number in range(count):
                filters = (kernel, stride, dilations[0]) if number == 0 else (kernel, 1, dilations[1])
                blocks.append(_Block(channels, wide, filters, expansion))
                channels = wide
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv2d(channels, config.hidden_size, 1)
        side = config.image_size // config.patch_size
        self.row_embedding = nn.Embedding(side, config.hidden_size)
        self.column_embedding = nn.Embedding(side, config.hidden_size)
        self.post_init()

    def forward(self, pixel_values: torch.Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """Return the features of pictures, row after row.

        Parameters
        ----------
        pixel_values : tensor, shape (B, 3, H, W)
            From −1 to 1.

        Returns
        -------
        BaseModelOutputWithPooling
            ``last_hidden_state``, shape (B, N, hidden), is also the only one of ``hidden_states``.
        """
        wanted = (self.config.image_size, self.config.image_size)
        if tuple(pixel_values.shape[-2:]) != wanted:
            raise ValueError(
                f"the tower reads pictures of {wanted[0]}×{wanted[1]} pixels, not of "
                f"{pixel_values.shape[-1]}×{pixel_values.shape[-2]}"
            )
        hidden = self.placed(self.features(pixel_values))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, hidden_states=(hidden,))

    def features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Return what comes out of the last block, shape (B, N, FEATURES): all that is slow, and never trained."""
        hidden = functional.relu6(self.stem(_padded(pixel_values, 3, 2)))
        for block in self.blocks:
            hidden = block(hidden)
        return hidden.flatten(2).transpose(1, 2)

    def placed(self, features: torch.Tensor) -> torch.Tensor:
        """Widen features to the hidden size, and add where each lies: (B, N, FEATURES) → (B, N, hidden)."""
        wide = functional.relu6(functional.linear(features, self.head.weight.flatten(1), self.head.bias))
        rows, columns = self.row_embedding.weight, self.column_embedding.weight
        return wide + (rows[:, None] + columns[None]).flatten(0, 1)


class _Block(nn.Module):
    """An inverted bottleneck: widened, filtered channel by channel, narrowed."""

    def __init__(self, channels: int, out: int, filters: tuple[int, int, int], expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        kernel, stride, dilation = filters
        self.expand = nn.Conv2d(channels, inner, 1) if expansion > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, kernel, stride=stride, dilation=dilation, groups=inner)
        self.project = nn.Conv2d(inner, out, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        inner = hidden if self.expand is None else functional.relu6(self.expand(hidden))
        filters = self.depthwise
        kernel, stride, dilation = filters.kernel_size[0], filters.stride[0], filters.dilation[0]
        inner = functional.relu6(filters(_padded(inner, (kernel - 1) * dilation + 1, stride)))
        out: torch.Tensor = self.project(inner)
        return out + hidden if stride == 1 and out.shape == hidden.shape else out


def _padded(pixels: torch.Tensor, reach: int, stride: int) -> torch.Tensor:
    """Pad as TensorFlow does: on both sides alike, what is left over behind."""
    height, width = (max((-(-side // stride) - 1) * stride + reach - side, 0) for side in pixels.shape[-2:])
    return functional.pad(pixels, (width // 2, width - width // 2, height // 2, height - height // 2))


AutoConfig.register(EfficientNetLiteConfig.model_type, EfficientNetLiteConfig, exist_ok=True)
AutoModel.register(EfficientNetLiteConfig, EfficientNetLiteModel, exist_ok=True)
