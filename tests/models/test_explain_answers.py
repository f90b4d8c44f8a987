"""The answer: given, generated, cut short, and the tokens that are no text."""

import numpy as np
import tiny_models

import tam_widget as tam

PROMPT = "Describe the image."


def test_a_given_answer_gives_the_maps_of_generating_it(any_tiny, picture):
    model, processor = any_tiny
    answer = "A small red circle is left of a large blue square."
    ids = processor.tokenizer(answer, add_special_tokens=False)["input_ids"]
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=tiny_models.saying(processor, picture, ids))
    again = tam.explain(model, processor, picture, PROMPT, answer=answer)
    assert ex.answer == again.answer == answer
    assert [token.text for token in ex.tokens] == [token.text for token in again.tokens]
    np.testing.assert_allclose(again.maps().images[0], ex.maps().images[0], atol=1e-4)
    np.testing.assert_allclose(again.maps().relevance, ex.maps().relevance, atol=1e-4)
    for said, read in zip(ex.tokens, again.tokens, strict=True):
        assert [c.id for c in said.candidates] == [c.id for c in read.candidates]
        np.testing.assert_allclose(
            [c.probability for c in said.candidates], [c.probability for c in read.candidates], atol=1e-5
        )


def test_a_given_answer_is_explained_as_it_stands(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, answer=" A red circle\n is  here. ")
    assert ex.answer == " A red circle\n is  here. "
    assert "".join(token.text for token in ex.tokens if token.role == "answer") == ex.answer
    assert ex.prompt == PROMPT
    chosen = [[c for c in token.candidates if c.chosen] for token in ex.tokens if token.role == "answer"]
    assert all(len(marked) == 1 for marked in chosen)
    assert [marked[0].id for marked in chosen] == [token.id for token in ex.tokens if token.role == "answer"]


def test_special_tokens_in_the_answer_are_not_text(tiny, picture):
    model, processor = tiny()
    words = processor.tokenizer
    script = [*words("A red", add_special_tokens=False)["input_ids"]]
    vision, placeholder, padded = (
        words.convert_tokens_to_ids("<|vision_start|>"),
        model.config.image_token_id,
        len(words) + 3,
    )
    forced = [script[0], vision, placeholder, padded, script[1]]
    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=tiny_models.saying(processor, picture, forced))
    assert ex.answer == "A red"
    assert [token.text for token in ex.tokens if token.role == "answer"] == ["A", " red"]
    assert all(np.isfinite(ex.heatmap(token)).all() for token in ex.tokens)
    assert ex.grids == ((6, 8),)  # a generated placeholder is no part of the picture


def test_an_answer_that_ends_at_once_leaves_the_prompt_explained(tiny, picture):
    model, processor = tiny()

    ex = tam.explain(model, processor, picture, PROMPT, logits_processor=tiny_models.saying(processor, picture, []))
    assert ex.answer == ""
    assert [token.text for token in ex.tokens] == ["Describe", " the", " image", "."]
    assert ex.heatmap(2).shape == (6, 8)
