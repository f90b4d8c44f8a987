"""GOT-OCR 2.0, as a whole and in tiles."""

from functools import partial

from transformers import GotOcr2Config, GotOcr2ForConditionalGeneration, GotOcr2ImageProcessor, GotOcr2Processor

from tiny.case import Case, decoder, silence, tower, words
from tiny.squares.deepseek_vl import only_middle, only_own

PATCH, SIDE = 4, 4
TILE = PATCH * 4 * SIDE


def processor(**options):
    images = GotOcr2ImageProcessor(size={"height": TILE, "width": TILE})
    made = GotOcr2Processor(images, words("<img>", "</img>", "<imgpad>"))
    made.num_image_tokens = SIDE**2
    made.images_kwargs = made.images_kwargs | options
    return made


def build():
    names = processor().tokenizer
    vision = tower(
        image_size=TILE,
        patch_size=PATCH,
        output_channels=16,
        mlp_dim=64,
        window_size=3,
        global_attn_indexes=[1],
        initializer_range=0.2,
    )
    del vision["intermediate_size"]
    return GotOcr2ForConditionalGeneration(
        GotOcr2Config(
            text_config=decoder(names, model_type="qwen2"),
            vision_config=vision,
            image_token_index=names.convert_tokens_to_ids("<imgpad>"),
            tie_word_embeddings=False,
        )
    )


def blind(model):
    """Take the attention out of the vision tower, and of its convolutions what reaches into other cells.

    Beside a large bias, the norms scale all patches alike; the one whose pixels changed most then changes most.
    """
    encoder, projector = model.model.vision_tower, model.model.multi_modal_projector
    silence(layer.attn for layer in encoder.layers)
    encoder.patch_embed.projection.bias.data.normal_(std=20)
    only_middle(encoder.neck.conv2)
    only_own(projector.conv_upsampler1)
    only_own(projector.conv_upsampler2)


COUNTED = (
    Case("got_ocr2", build, processor, sizes=((64, 48), (47, 103)), blind=blind, turns=False),
    Case(
        "got_ocr2",
        build,
        partial(processor, crop_to_patches=True, max_patches=6),
        sizes=((90, 130),),
        tiled=((90, 130), (200, 61)),
        several=False,
        blind=blind,
        turns=False,
        name="got_ocr2 (tiles)",
    ),
)
# An older one counts 256 tokens for each picture, of whatever size.
CASES = COUNTED if hasattr(GotOcr2Processor, "num_image_tokens") else ()
