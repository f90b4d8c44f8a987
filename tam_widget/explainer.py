"""explain(): pictures and a prompt in, an explanation out. The one way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tam_widget.errors import GenerationError, PromptError, UnsupportedModelError
from tam_widget.explanation import Explanation
from tam_widget.explanation.origin import Origin
from tam_widget.lenses.interface import check_lenses
from tam_widget.lenses.taking import taken, watch_for
from tam_widget.media.videos import Video
from tam_widget.models import capture
from tam_widget.models.activations import activations_of
from tam_widget.models.families import family_of, naming, panels_of
from tam_widget.models.inputs.answer_inputs import answer_inputs
from tam_widget.models.inputs.conversation import prepare, tokenize_answer
from tam_widget.models.inputs.messages import conversation_from, conversation_from_messages
from tam_widget.models.inputs.processor_options import ProcessorOptions
from tam_widget.models.layout import Layout, Slot
from tam_widget.models.options import check_options, refusals_of_generate
from tam_widget.models.wrapped import unwrapped
from tam_widget.text.decoding import decode_pieces, special_ids, token_namer
from tam_widget.text.tokens import Candidate, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tam_widget.lenses.interface import LensName
    from tam_widget.media.pictures import Picture
    from tam_widget.media.videos import VideoInput
    from tam_widget.models.attention.watch import Watch
    from tam_widget.models.capture import Capture
    from tam_widget.models.choices import Choices
    from tam_widget.models.inputs.conversation import Prepared
    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.inputs.parts import Medium
    from tam_widget.models.layout import Panel

__all__ = ["explain"]


def explain(
    model: Any,
    processor: Any,
    images: Picture | Sequence[Picture] | None = None,
    prompt: str | None = None,
    *,
    video: VideoInput | None = None,
    messages: Sequence[Mapping[str, Any]] | None = None,
    answer: str | None = None,
    system: str | None = None,
    fps: float | None = None,
    image_kwargs: Mapping[str, Any] | None = None,
    video_kwargs: Mapping[str, Any] | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
    lenses: Sequence[LensName] = ("tam", "contribution"),
    max_new_tokens: int | None = None,
    **generate_kwargs: Any,
) -> Explanation:
    """Ask a vision-language model about a picture, and explain every word of its answer.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A vision-language model, as :func:`tam_widget.load` or ``AutoModelForImageTextToText`` gives it.
    processor : transformers.ProcessorMixin
        The model's own processor.
    images : str, os.PathLike, PIL.Image.Image, numpy.ndarray, torch.Tensor, or a sequence of them
        A path, URL, image, array or tensor; see :func:`tam_widget.media.pictures.as_picture`.
    prompt : str
        The question.
    video : str, os.PathLike, sequence of pictures, numpy.ndarray or torch.Tensor
        A video file, or the frames that the model shall see; see :func:`tam_widget.media.videos.as_video`.
    messages : sequence of mapping
        A conversation of several turns in the chat format of transformers, in the place of `prompt`. Pictures and
        videos stand in it, or are taken in order from `images` and `video` where it has ``{"type": "image"}`` without
        a source. A part may say how large its own picture is shown: ``max_pixels``, ``min_pixels``, or
        ``resized_height`` and ``resized_width``; a video also how many frames are taken: ``fps`` or ``nframes``. The
        last message is the question; where it is the assistant's and not empty, it is the given answer.
    answer : str, optional
        Explain this text as the answer, in one forward pass, instead of letting the model write one.
    system : str, optional
        A system prompt; it is not explained. By default what the model's chat template says on its own.
    fps : float, optional
        Frames a second: how many are taken of a video file, or how fast given frames follow each other. Two by
        default.
    image_kwargs, video_kwargs : mapping, optional
        Settings of the image and the video processor for this conversation, by the names that
        ``AutoProcessor.from_pretrained`` takes them, such as ``{"max_pixels": 1003520}`` (Qwen2-VL) or
        ``{"do_pan_and_scan": True}`` (Gemma 3). The processor itself is left as it is.
    chat_template_kwargs : mapping, optional
        Variables of the model's chat template, such as ``{"enable_thinking": False}``.
    lenses : sequence of str, optional
        Which readings of the run are taken beside ``"tam"``, which always is: ``"contribution"``, ``"attention"``,
        ``"attention_mean"``. They cost no further pass. Where the model does not allow one, TAM works as it does
        without, and asking for the lens says why.
    max_new_tokens : int, optional
        Longest answer, in tokens; 128 where neither ``max_length`` nor a ``generation_config`` says otherwise.
    **generate_kwargs
        For ``model.generate``: ``do_sample``, ``temperature``, ``num_beams``, … With beams or assisted decoding the
        answer is fed to the model once more when it is known.

    Returns
    -------
    Explanation
        Its maps need the model no more. Deleting it frees its memory on the model's device.

    Raises
    ------
    UnsupportedModelError
        The model cannot be explained.
    PictureError, PromptError, GenerationError, UnknownOptionError
        Something given cannot be used. Raised before the model runs; but where pictures were shown without a word and
        the model says nothing either, this shows only then.
    LayoutError
        Picture or prompt cannot be located in the sequence. Raised before the model runs.
    CaptureError
        The states read are not the ones behind the words.

    Examples
    --------
    >>> import tam_widget as tam
    >>> model, processor = tam.load_demo()  # doctest: +SKIP
    >>> tam.explain(model, processor, "photo.png", "Describe the image.")  # doctest: +SKIP
    """
    model = unwrapped(model)
    family = family_of(_config_of(model))
    capture.readable_parts(model)
    tokenizer = _check_processor(processor)
    if messages is None:
        conversation = conversation_from(images, video, prompt, system=system, answer=answer, fps=fps)
    elif prompt is not None:
        raise PromptError("the question stands in messages; leave prompt out")
    else:
        conversation = conversation_from_messages(messages, images, video, system=system, answer=answer, fps=fps)
    wanted = check_lenses(lenses)
    options = _options(model, tokenizer, conversation, max_new_tokens, generate_kwargs)
    settings = ProcessorOptions.of(image_kwargs, video_kwargs, chat_template_kwargs)
    given, processor = processor, settings.applied(processor)
    with naming(model.config):
        prepared = prepare(processor, conversation, family.render, settings)
        _check_vocabulary(model, processor, prepared)
        panels = panels_of(prepared, model.config, processor)
        grows = answer_inputs(prepared, family.answer_inputs)
    watch = watch_for(model, wanted, prepared.slots, len(prepared.ids))
    run, answer, answered = _run(model, processor, conversation, prepared, grows, options, watch)
    layout = Layout(panels, (*prepared.slots, *answered), {**prepared.texts, (conversation.turn, "answer"): answer})
    tokens = _tokens(layout, run, tokenizer)
    if not tokens:
        raise GenerationError("the model said nothing, and the messages hold no text: there is no token to explain")
    media = [_shown(medium, panels, index) for index, medium in enumerate(prepared.media)]
    length = len(prepared.ids)
    shown = tuple(slot.position - length for slot in answered)
    origin = Origin.of(model, given, conversation, settings, run.ids[length:], shown)
    activations = activations_of(model, tokenizer, layout, run, tokens)
    readings = taken(model, wanted, watch, activations, tokens)
    return Explanation(tokens, layout.texts, media, activations, _name(model), origin=origin, readings=readings)


def _config_of(model: Any) -> Any:
    if not isinstance(model, torch.nn.Module) or not hasattr(model, "config"):
        raise UnsupportedModelError(
            f"model must be a transformers model, got {type(model).__name__}; tam_widget.load() gives one"
        )
    return model.config


def _check_processor(processor: Any) -> Any:
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or getattr(processor, "image_processor", None) is None:
        raise UnsupportedModelError(
            f"processor must be the model's processor, with a tokenizer and an image processor, got "
            f"{type(processor).__name__}; AutoProcessor returns a bare tokenizer where a piece is missing: "
            "tam_widget.load() says which"
        )
    return tokenizer


def _check_vocabulary(model: Any, processor: Any, prepared: Prepared) -> None:
    """Refuse words that the model has no embedding for; the pictures' places may have ids of their own."""
    weight = getattr(model.get_input_embeddings(), "weight", None)
    if weight is None:
        return
    shown = {position for first, last in prepared.spans for position in range(first, last)}
    largest = max(token for position, token in enumerate(prepared.ids) if position not in shown)
    if largest >= weight.shape[0]:
        raise UnsupportedModelError(
            f"{type(processor).__name__} writes token {largest}, and the model knows {weight.shape[0]}: it is another "
            "model's; tam_widget.load() gives both"
        )


def _options(
    model: Any, tokenizer: Any, conversation: Conversation, max_new_tokens: int | None, generate_kwargs: dict[str, Any]
) -> dict[str, Any]:
    if conversation.answer is None:
        return check_options(model, tokenizer, max_new_tokens, generate_kwargs)
    if generate_kwargs or max_new_tokens is not None:
        given = ", ".join([*generate_kwargs, *(["max_new_tokens"] if max_new_tokens is not None else [])])
        raise GenerationError(f"a given answer is read, not generated; leave out {given}")
    return {}


def _run(  # noqa: PLR0917 - called once, above
    model: Any,
    processor: Any,
    conversation: Conversation,
    prepared: Prepared,
    grows: dict[str, int],
    options: dict[str, Any],
    watch: Watch | None,
) -> tuple[Capture, str, tuple[Slot, ...]]:
    """Let the model answer, or read the given answer; return what was captured, the answer and its tokens."""
    length, turn = len(prepared.ids), conversation.turn
    earlier = [slot.position for slot in prepared.slots if slot.role == "answer"]
    if conversation.answer is not None:
        answered = tokenize_answer(processor, conversation.answer, length, turn)
        said = [slot.id for slot in answered]
        run = capture.replay(model, prepared.inputs, said, earlier=earlier, answer_inputs=grows, watch=watch)
        return run, conversation.answer, answered
    with capture.alone(model), refusals_of_generate(model):
        run = capture.generate(model, prepared.inputs, answer_inputs=grows, watch=None if earlier else watch, **options)
    if earlier:  # generate() has no logits of the prompt, where earlier answers stand
        run = capture.replay(
            model, prepared.inputs, run.ids[length:], earlier=earlier, answer_inputs=grows, watch=watch
        )
    answer, answered = _decoded(processor.tokenizer, run.ids, length, model.config, turn)
    return run, answer, answered


def _shown(medium: Medium, panels: Sequence[Panel], index: int) -> Medium:
    """Return a picture as it is, and of a video the frames that its maps lie over."""
    if not isinstance(medium, Video):
        return medium
    frames = [panel.frame for panel in panels if panel.image == index and panel.frame is not None]
    return Video(tuple(medium.frames[k] for k in frames), tuple(medium.times[k] for k in frames))


def _decoded(tokenizer: Any, ids: Sequence[int], length: int, config: Any, turn: int) -> tuple[str, tuple[Slot, ...]]:
    """Return the answer and its text tokens: what was generated, less the end mark and any other control token."""
    skip = special_ids(tokenizer) | {getattr(config, f"{kind}_token_id", None) for kind in ("image", "video", "audio")}
    known = len(tokenizer)  # heads are padded: ids beyond the tokenizer's stand for nothing
    said = [position for position in range(length, len(ids)) if ids[position] not in skip and ids[position] < known]
    text, pieces = decode_pieces(tokenizer, [ids[position] for position in said])
    slots = (
        Slot(position, ids[position], shown, span, "answer", turn)
        for position, (shown, span) in zip(said, pieces, strict=True)
    )
    return text, tuple(slots)


def _tokens(layout: Layout, run: Capture, tokenizer: Any) -> tuple[Token, ...]:
    name = token_namer(tokenizer)
    step_of = {int(position): step for step, position in enumerate(run.said)}
    return tuple(
        Token(
            index,
            slot.text,
            slot.id,
            slot.role,
            slot.turn,
            slot.span,
            _candidates(run.choices, step_of[slot.position], name) if slot.position in step_of else (),
        )
        for index, slot in enumerate(layout.slots)
    )


def _candidates(choices: Choices, step: int, name: Callable[[int], str]) -> tuple[Candidate, ...]:
    """Return one step's candidates in rank order, the chosen one before those that are equally probable."""
    chosen = int(choices.chosen[step])
    likeliest = dict(zip(choices.ids[step].tolist(), choices.probabilities[step].tolist(), strict=True))
    likeliest.setdefault(chosen, float(choices.chosen_probability[step]))
    ranked = sorted(likeliest.items(), key=lambda pair: (-pair[1], pair[0] != chosen, pair[0]))
    probabilities = [probability for _, probability in ranked]
    return tuple(
        Candidate(
            name(token),
            token,
            probability,
            int(choices.chosen_rank[step]) if token == chosen else probabilities.index(probability) + 1,
            token == chosen,
        )
        for token, probability in ranked
    )


def _name(model: Any) -> str:
    """Return the last part of the model's name or folder."""
    name = str(getattr(model.config, "_name_or_path", "") or "")
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or type(model).__name__
