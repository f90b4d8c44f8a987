"""Idefics3 and SmolVLM."""

from functools import partial

from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from tiny.case import Case, decoder, silence, template, tower, words

TILE, PATCH, SCALE = 32, 4, 2
CELLS = (TILE // PATCH // SCALE) ** 2


def tokenizer():
    names = [f"<row_{row + 1}_col_{column + 1}>" for row in range(6) for column in range(6)]
    return words("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *names)


def processor(family, **options):
    sizes = {"size": {"longest_edge": 3 * TILE}, "max_image_size": {"longest_edge": TILE}}
    if family == "idefics3":
        images = Idefics3ImageProcessorPil(**sizes, **options)
        return Idefics3Processor(images, tokenizer(), image_seq_len=CELLS, chat_template=template())
    images = SmolVLMImageProcessorPil(**sizes, **options)
    videos = SmolVLMVideoProcessor(
        **sizes, video_sampling={"max_frames": 64, "fps": 1, "video_size": {"longest_edge": 3 * TILE}}
    )
    return SmolVLMProcessor(images, tokenizer(), videos, image_seq_len=CELLS, chat_template=template())


def build(family, tile=TILE):
    names = tokenizer()
    kind, config = {
        "idefics3": (Idefics3ForConditionalGeneration, Idefics3Config),
        "smolvlm": (SmolVLMForConditionalGeneration, SmolVLMConfig),
    }[family]
    return kind(
        config(
            text_config=decoder(names, model_type="llama"),
            vision_config=tower(image_size=tile, patch_size=PATCH, initializer_range=0.2),
            scale_factor=SCALE,
            image_token_id=names.convert_tokens_to_ids("<image>"),
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower."""
    silence(layer.self_attn for layer in model.model.vision_model.encoder.layers)


SIZES = ((64, 48), (48, 104), (250, 130))
CASES = (
    Case(
        "idefics3",
        partial(build, "idefics3"),
        partial(processor, "idefics3"),
        sizes=SIZES,
        blind=blind,
        tiled=SIZES[:2],
    ),
    Case(
        "smolvlm",
        partial(build, "smolvlm"),
        partial(processor, "smolvlm"),
        sizes=SIZES,
        blind=blind,
        tiled=SIZES[:2],
        video=True,
    ),
    Case(
        "smolvlm",
        partial(build, "smolvlm"),
        partial(processor, "smolvlm", do_image_splitting=False),
        sizes=SIZES[:2],
        blind=blind,
        name="smolvlm (not split)",
    ),
)
