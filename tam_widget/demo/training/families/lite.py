"""LLaVA with EfficientNet-Lite0 for a tower, which was trained on ImageNet and stays as it is. Single pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tam_widget.demo.training.families.layers import Weights, read
from tam_widget.demo.training.families.llava import SIDE, Llava
from tam_widget.demo.training.families.llava_forward import LlavaForward
from tam_widget.models.own.efficientnet_lite import EfficientNetLiteConfig

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from tam_widget.demo.training.families.batch import Batch, Forward

__all__ = ["LiteForward", "LlavaLite", "picture_processor"]

_HIDDEN, _INNER, _LAYERS, _HEADS = 192, 512, 4, 6
# What EfficientNet-Lite takes from a colour, from 0 to 255, and divides it by.
_MEAN, _STD = 127 / 255, 128 / 255


class LlavaLite(Llava):
    """A :class:`~tam_widget.demo.training.families.family.Family`, whose tower is not trained."""

    name = "lite"
    cell = 16

    def model(self, tokenizer: PreTrainedTokenizerBase) -> LlavaForConditionalGeneration:
        """Make the model with random weights; seed torch before. Of the tower, only the places learn."""
        text = LlamaConfig(
            vocab_size=-(-len(tokenizer) // 16) * 16,
            hidden_size=_HIDDEN,
            intermediate_size=_INNER,
            num_hidden_layers=_LAYERS,
            num_attention_heads=_HEADS,
            num_key_value_heads=_HEADS // 2,
            max_position_embeddings=2048,
            rms_norm_eps=1e-6,
            bos_token_id=None,
            eos_token_id=tokenizer.convert_tokens_to_ids(self.end),
            pad_token_id=tokenizer.convert_tokens_to_ids("<pad>"),
            tie_word_embeddings=True,
        )
        config = LlavaConfig(
            vision_config=EfficientNetLiteConfig(image_size=SIDE, patch_size=self.cell),
            text_config=text,
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_seq_length=(SIDE // self.cell) ** 2,
            vision_feature_layer=-1,
            vision_feature_select_strategy="full",  # there is no class token
            tie_word_embeddings=True,
        )
        model = LlavaForConditionalGeneration(config)
        for name, weight in model.model.vision_tower.named_parameters():
            weight.requires_grad_("embedding" in name)
        return model

    def save_processor(self, tokenizer: PreTrainedTokenizerBase, folder: Path, *, side: int | None = None) -> None:
        """Write tokenizer, chat template and the settings for pictures; `side` is the pictures' own, before."""
        del side
        LlavaProcessor(
            picture_processor(),
            tokenizer,
            patch_size=self.cell,
            vision_feature_select_strategy="full",
            num_additional_image_tokens=0,
            chat_template=tokenizer.chat_template,
        ).save_pretrained(folder)

    def forward(self, model: LlavaForConditionalGeneration, dtype: torch.dtype) -> Forward:
        """Return the batched forward pass."""
        return LiteForward(model, dtype)


def picture_processor() -> CLIPImageProcessorPil:
    """Make what turns a picture into the tower's input."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[_MEAN] * 3,
        image_std=[_STD] * 3,
    )


class LiteForward(LlavaForward):
    """Callable that maps a :class:`~tam_widget.demo.training.families.batch.Batch` to last hidden states.

    It looks at the pictures only where the batch does not bring the tower's features.
    """

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return hidden states after the final norm, shape (B, L, d), and the head's rows, shape (V, d)."""
        weights = Weights(self._model, self._dtype)
        tower = "model.vision_tower."
        features = self._features(batch.pictures) if batch.features is None else batch.features.flatten(0, 1)
        wide = F.relu6(
            F.linear(
                features.to(self._dtype),
                weights[tower + "head.weight"].flatten(1),
                weights[tower + "head.bias"],
            )
        )
        rows, columns = (weights[f"{tower}{name}_embedding.weight"] for name in ("row", "column"))
        placed = wide + (rows[:, None] + columns[None]).flatten(0, 1)
        projector = "model.multi_modal_projector."
        image = weights.linear(F.gelu(weights.linear(placed, projector + "linear_1")), projector + "linear_2")
        return read(weights, self._model.config.text_config, batch, image, self._text_rotation(batch.places))

    @torch.no_grad()
    def _features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return what the tower makes of pictures (B, F, 1, H, W, 3): (B · F, N, C)."""
        pixels = (pictures.flatten(0, 2).permute(0, 3, 1, 2).float() / 255 - _MEAN) / _STD
        features: torch.Tensor = self._model.model.vision_tower.features(pixels)
        return features
