"""Model families: for each ``config.model_type`` a function that says which position shows which part of a picture.

A family is a function ``views(place) -> sequence of View`` in a file of its own, registered for the model types it
serves with what else is particular to them (:class:`tam_widget.models.family.Family`). It reads what the processor
returned and checks it against the number of placeholders; it never guesses a geometry.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError, UnsupportedModelError
from tam_widget.models.families import (
    any_resolution,
    ernie4_5_vl,
    feature_map,
    gemma3,
    gemma4,
    generic,
    glm5_next,
    got_ocr2,
    granite_docling,
    hunyuan_vl,
    idefics3,
    inkling,
    inkling2,
    internvl,
    kimi_k25,
    lfm2_vl,
    llama4,
    llava,
    minicpmv,
    minimax_m3_vl,
    molmo2,
    muse,
    ovis2,
    padded_square,
    paligemma,
    perception_lm,
    phi4_multimodal,
    pixtral,
    qwen_vl,
    step3p7,
    video_llama_3,
    video_llava,
)
from tam_widget.models.families.refused import why_not
from tam_widget.models.family import Family
from tam_widget.models.inputs.conversation import places
from tam_widget.models.stitch import stitch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tam_widget.models.family import Views
    from tam_widget.models.inputs.conversation import Prepared
    from tam_widget.models.layout import Panel

__all__ = ["Family", "family_of", "name_of", "naming", "panels_of", "register_family", "supported_types"]

_GENERIC = Family(generic.views)

# By config.model_type, and by vision_config.model_type where one type has several towers (None: any other).
_FAMILIES: dict[tuple[str, str | None], Family] = {
    ("qwen2_vl", None): Family(qwen_vl.views, "Qwen2-VL"),
    ("qwen2_5_vl", None): Family(qwen_vl.views, "Qwen2.5-VL"),
    ("qwen3_vl", None): Family(qwen_vl.views, "Qwen3-VL"),
    ("qwen3_vl_moe", None): Family(qwen_vl.views, "Qwen3-VL MoE"),
    ("qwen3_5", None): Family(qwen_vl.views, "Qwen3.5"),
    ("qwen3_5_moe", None): Family(qwen_vl.views, "Qwen3.5 MoE"),
    ("glm4v", None): Family(qwen_vl.views, "GLM-4.1V"),
    ("glm4v_moe", None): Family(qwen_vl.views, "GLM-4.5V"),
    ("glm46v", None): Family(qwen_vl.views, "GLM-4.6V"),
    ("glm_ocr", None): Family(qwen_vl.views, "GLM-OCR"),
    ("glmga", None): Family(qwen_vl.views, "Glmga"),
    ("glm5_next", None): Family(glm5_next.views, "GLM-5-Next"),
    ("cohere_compass", None): Family(qwen_vl.views, "Cohere Compass"),
    ("cosmos3_edge", None): Family(qwen_vl.views, "Cosmos 3 Edge"),
    ("cosmos3_omni", None): Family(qwen_vl.views, "Cosmos 3 Omni"),
    ("dots3_note", None): Family(qwen_vl.views, "Dots 3 Note"),
    ("qwen4_exp", None): Family(qwen_vl.views, "Qwen4-Exp", final_norm="hyper_connection_mixer"),
    ("ernie4_5_vl_moe", None): Family(ernie4_5_vl.views, "ERNIE 4.5 VL", answer_inputs=ernie4_5_vl.ANSWER_INPUTS),
    ("exaone4_5", None): Family(qwen_vl.views, "EXAONE 4.5"),
    ("hunyuan_vl", None): Family(hunyuan_vl.views, "HunyuanVL"),
    ("hyperclovax_vision_v2", None): Family(qwen_vl.views, "HyperCLOVA X Vision 2"),
    ("inkling_mm_model", None): Family(inkling.views, "Inkling"),
    ("inkling2", None): Family(inkling2.views, "Inkling 2"),
    ("kimi_k25", None): Family(kimi_k25.views, "Kimi K2.5"),
    ("lfm3_vl", None): Family(qwen_vl.views, "LFM3-VL"),
    ("minicpm_ocr", None): Family(minicpmv.views, "MiniCPM-OCR"),
    ("minicpmv4_6", None): Family(minicpmv.views, "MiniCPM-V 4.6"),
    ("minicpmv4_7", None): Family(minicpmv.views, "MiniCPM-V 4.7"),
    ("minimax_m3_vl", None): Family(minimax_m3_vl.views, "MiniMax M3 VL"),
    ("muse_glimmer", None): Family(muse.views, "Muse Glimmer"),
    ("muse_spark", None): Family(muse.views, "Muse Spark"),
    ("paddleocr_vl", None): Family(qwen_vl.views, "PaddleOCR-VL"),
    ("perception_lm", None): Family(perception_lm.views, "PerceptionLM"),
    ("qwen2_5_omni_thinker", None): Family(qwen_vl.views, "Qwen2.5-Omni's thinker"),
    ("qwen3_omni_moe_thinker", None): Family(qwen_vl.views, "Qwen3-Omni's thinker"),
    ("video_llama_3", None): Family(video_llama_3.views, "VideoLLaMA 3"),
    ("llava", None): Family(llava.views, "LLaVA"),
    ("llava", "pixtral"): Family(pixtral.views, "Pixtral"),
    ("mistral3", None): Family(pixtral.views, "Mistral Small 3.1"),
    ("llava_next", None): Family(any_resolution.views, "LLaVA-NeXT"),
    ("llava_onevision", None): Family(any_resolution.views, "LLaVA-OneVision"),
    ("internvl", None): Family(internvl.views, "InternVL3"),
    ("aya_vision", None): Family(internvl.views, "Aya Vision"),
    ("cohere2_vision", None): Family(internvl.views, "Command A Vision"),
    ("ovis2", None): Family(ovis2.views, "Ovis2"),
    ("llama4", None): Family(llama4.views, "Llama 4"),
    ("idefics3", None): Family(idefics3.views, "Idefics3"),
    ("smolvlm", None): Family(idefics3.views, "SmolVLM"),
    ("gemma3", None): Family(gemma3.views, "Gemma 3"),
    ("paligemma", None): Family(paligemma.views, "PaliGemma", paligemma.render, paligemma.ANSWER_INPUTS),
    ("gemma4", None): Family(gemma4.views, "Gemma 4"),
    ("lfm2_vl", None): Family(lfm2_vl.views, "LFM2-VL"),
    ("llava_next_video", None): Family(any_resolution.views, "LLaVA-NeXT-Video"),
    ("granite4_vision", None): Family(any_resolution.views, "Granite 4 Vision"),
    ("phi4_multimodal", None): Family(phi4_multimodal.views, "Phi-4 multimodal"),
    ("molmo2", None): Family(molmo2.views, "Molmo 2"),
    ("granite_docling", None): Family(granite_docling.views, "Granite Docling"),
    ("step3p7", None): Family(step3p7.views, "Step 3.7"),
    ("video_llava", None): Family(video_llava.views, "Video-LLaVA"),
    ("gemma4_unified", None): Family(gemma4.unified_views, "Gemma 4 unified"),
    ("vipllava", None): Family(llava.views, "ViP-LLaVA"),
    ("mistral_large4", None): Family(pixtral.views, "Mistral Large 4"),
    ("lighton_ocr", None): Family(pixtral.views, "LightOnOCR"),
    ("deepseek_vl", None): Family(padded_square.views, "DeepSeek-VL"),
    ("deepseek_vl_hybrid", None): Family(padded_square.views, "DeepSeek-VL 7B"),
    ("janus", None): Family(padded_square.views, "Janus"),
    ("fast_vlm", None): Family(feature_map.views, "FastVLM"),
    ("gemma3n", None): Family(feature_map.views, "Gemma 3n"),
    ("got_ocr2", None): Family(got_ocr2.views, "GOT-OCR 2.0", got_ocr2.render),
    ("qianfan_ocr", None): Family(internvl.views, "Qianfan-OCR"),
}


def register_family(
    model_type: str, family: Family | Views, *, vision_type: str | None = None, **particulars: Any
) -> None:
    """Teach this package where a kind of model has its vision tokens.

    Parameters
    ----------
    model_type : str
        The ``config.model_type`` it is for. One that is known already is replaced.
    family : Family or callable
        A :class:`tam_widget.models.family.Family`; or its `views` alone, a function from a
        :class:`tam_widget.models.place.Place` (one picture or video, and where it stands in the input) to its views, a
        sequence of :class:`tam_widget.models.layout.View`. ``place.view(...)`` makes a view and ``place.tiles(...)``
        several, both checked.
    vision_type : str, optional
        Only where ``config.vision_config.model_type`` is this.
    **particulars
        What else is particular to it: `name`, `render`, `answer_inputs` and `final_norm` of
        :class:`tam_widget.models.family.Family`, in the place of those of `family`.

    Raises
    ------
    TypeError
        `family` is neither, or a particular that families do not have.

    Examples
    --------
    A model that stretches each picture to a square of 16 × 16 tokens:

    >>> def views(place):
    ...     return [place.view("main", place.placeholders, 16, 16)]
    >>> register_family("my_vlm", views)

    One that cuts the picture into 2 × 2 tiles of 8 × 8 tokens, with a small copy of the whole before them:

    >>> def tiled(place):
    ...     found = place.placeholders
    ...     return [place.view("global", found[:64], 8, 8), *place.tiles(found[64:], across=2, rows=8, columns=8)]
    >>> register_family("my_tiled_vlm", tiled)

    One that does as a known one does, and whose text decoder has a last norm of another name:

    >>> from tam_widget.models.families import llava
    >>> register_family("my_llava", llava.views, final_norm="norm_f")
    """
    if not isinstance(family, Family):
        if not callable(family):
            raise TypeError(f"a family is a Family or a function from a place to its views, got {family!r:.80}")
        family = Family(family)
    known = {one.name for one in fields(Family)} - {"views"}
    if unknown := sorted(particulars.keys() - known):
        raise TypeError(f"a family has no {', '.join(unknown)}; it may have {', '.join(sorted(known))}")
    _FAMILIES[model_type, vision_type] = replace(family, **particulars)


def supported_types() -> tuple[str, ...]:
    """Return the model types that have a family of their own."""
    return tuple(sorted({model_type for model_type, _ in _FAMILIES}))


def name_of(model_type: str, vision_type: str | None = None) -> str:
    """Return what people call a kind of model; its type where no family is registered for it, or none with a name."""
    family = _FAMILIES.get((model_type, vision_type)) or _FAMILIES.get((model_type, None))
    return (family.name if family else "") or model_type


def family_of(config: Any) -> Family:
    """Return the family that serves a model's configuration.

    A type that no family serves is read by what its inputs state, see :mod:`tam_widget.models.families.generic`.

    Raises
    ------
    UnsupportedModelError
        The model cannot be explained; the message says why, and which can.
    """
    model_type = getattr(config, "model_type", None) or type(config).__name__
    vision_type = getattr(getattr(config, "vision_config", None), "model_type", None)
    for key in ((model_type, vision_type), (model_type, None)):
        if key in _FAMILIES:
            return _FAMILIES[key]
    why = why_not(config, model_type)
    if why is None:
        return _GENERIC
    raise UnsupportedModelError(
        f"a model of type {model_type!r} cannot be explained: {why}. Supported: {', '.join(supported_types())}"
    )


@contextmanager
def naming(config: Any) -> Iterator[None]:
    """Let a refusal of a model that no family serves name its type, and say how it can be taught.

    Raises
    ------
    LayoutError
        In the place of one that says neither.
    """
    try:
        yield
    except LayoutError as error:
        if family_of(config) is not _GENERIC or "register_family" in str(error):
            raise
        raise LayoutError(
            f"{error}; a model of type {config.model_type!r} is not known: tam_widget.register_family() can teach it"
        ) from error


def panels_of(prepared: Prepared, config: Any, processor: Any) -> tuple[Panel, ...]:
    """Return the panels of every picture and video of a conversation, in order.

    Raises
    ------
    UnsupportedModelError, LayoutError
        As :func:`family_of`, the family's views and :func:`tam_widget.models.stitch.stitch` do; also where the
        processor says nothing of what the family reads, because it is another family's.
    """
    family = family_of(config)
    panels: list[Panel] = []
    for place in places(prepared, config, processor):
        try:
            views = family.views(place)
        except (KeyError, AttributeError) as error:
            raise UnsupportedModelError(
                f"a model of type {getattr(config, 'model_type', None)!r} needs {error} of its processor, which "
                f"{type(processor).__name__} does not give; load the model's own: tam_widget.load() gives both"
            ) from error
        panels += stitch(views, place.index, (place.width, place.height))
    return tuple(panels)
