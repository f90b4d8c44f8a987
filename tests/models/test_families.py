"""Every family: each cell lies on the pixels that its vision token was made from, and the states are the model's own.

The vision towers are blinded: without attention a vision token knows its own pixels alone, so the token that reacts
to a painted square is the one that looks at it.
"""

import numpy as np
import pytest
import tiny_models
import torch
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.checks.embeddings import decoder_inputs
from tam_widget.models import capture
from tam_widget.models.families import family_of, generic, panels_of
from tam_widget.models.inputs.answer_inputs import answer_inputs
from tam_widget.models.inputs.conversation import places, prepare
from tam_widget.models.inputs.messages import conversation_from
from tam_widget.models.stitch import stitch

PROMPT = "Describe the image."
SHORTEST = 8  # a shorter side has too few pixels for squares inside the edges of a cell
NO_MULTIPLE = (131, 107)  # of no cell's side


def pick(what):
    """Cases of which something holds, as parameters."""
    return [pytest.param(case, id=str(case)) for case in CASES if what(case)]


def with_sizes(of):
    return [pytest.param(case, size, id=f"{case}-{size[0]}x{size[1]}") for case in CASES for size in of(case)]


def laid_out(model, processor, conversation):
    """The inputs, the panels and the embeddings that the text decoder is given."""
    prepared = prepare(processor, conversation, family_of(model.config).render)
    panels = panels_of(prepared, model.config, processor)
    return prepared, panels, decoder_inputs(model, prepared.inputs)


def cell_box(panel, row, column, size):
    """The pixels of one cell of a panel, cut to whole ones and to the picture."""
    left, top, right, bottom = panel.box
    high, wide = (bottom - top) / panel.grid[0], (right - left) / panel.grid[1]
    edges = (left + column * wide, top + row * high, left + (column + 1) * wide, top + (row + 1) * high)
    return [min(max(round(edge), 0), size[axis % 2]) for axis, edge in enumerate(edges)]


def strongest(panel, change):
    """The cell of a panel whose embedding changed most."""
    row, column = np.unravel_index(int(change[panel.positions].argmax()), panel.positions.shape)
    return int(row) + panel.corner[0], int(column) + panel.corner[1]


def some_cells(panel):
    """Corners and the middle of what was seen."""
    (top, left), (rows, columns) = panel.corner, panel.positions.shape
    places = {(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)}
    return [(top + row, left + column) for row, column in sorted(places)]


@pytest.mark.parametrize(("case", "size"), with_sizes(lambda case: (*case.sizes[1:], NO_MULTIPLE)))
@pytest.mark.shows("image")
def test_a_painted_square_reacts_in_the_cell_that_holds_it(case, size):
    check_squares(case, size)


@pytest.mark.parametrize(("case", "size"), with_sizes(lambda case: case.tiled))
@pytest.mark.shows("tiles")
def test_so_it_does_where_the_picture_is_cut_into_tiles(case, size):
    check_squares(case, size)
    family, processor = family_of(case.pair()[0].config), case.pair()[1]
    prepared = prepare(processor, conversation_from(tiny_models.picture(*size), None, PROMPT), family.render)
    (place,) = places(prepared, case.pair()[0].config, processor)
    views = family.views(place)
    assert len(views) > 1
    assert stitch(views, 0, size)[0].kind == "stitched"


def check_squares(case, size):
    """Each cell holds the squares in its middle and inside its edges, and the cells together are the picture."""
    model, processor = case.blind_pair()
    check = tam.check_family(model, processor, tiny_models.picture(*size))
    middles = [(row, row.reacts_at) for row in check.rows if row.reacts_at != (row.row, row.column)]
    assert not middles
    assert case.overlapping or check.ok, check
    if min(size) >= SHORTEST:
        assert any(set(row.edges.values()) == {True} for row in check.rows)
    conversation = conversation_from(tiny_models.picture(*size), None, PROMPT)
    panels = panels_of(prepare(processor, conversation, family_of(model.config).render), model.config, processor)
    positions = [int(position) for panel in panels for position in panel.positions.ravel()]
    assert len(set(positions)) == len(positions)
    for panel in panels:
        assert panel.box == pytest.approx((0, 0, *size), abs=max(size) / min(panel.grid))


@pytest.mark.parametrize(("case", "size"), with_sizes(lambda case: {*case.sizes, *case.tiled}))
def test_what_is_read_without_a_family_is_never_wrong(case, size):
    model, processor = case.pair()
    family = family_of(model.config)
    prepared = prepare(processor, conversation_from(tiny_models.picture(*size), None, PROMPT), family.render)
    (place,) = places(prepared, model.config, processor)
    known = stitch(family.views(place), 0, size)
    try:
        read = stitch(generic.views(place), 0, size)
    except tam.LayoutError:
        return
    assert len(read) == len(known)
    for one, other in zip(read, known, strict=True):
        assert (one.grid, one.kind) == (other.grid, other.kind)
        high, wide = (other.box[3] - other.box[1]) / other.grid[0], (other.box[2] - other.box[0]) / other.grid[1]
        np.testing.assert_allclose(np.subtract(one.box, other.box) / (wide, high, wide, high), 0, atol=0.1)
        np.testing.assert_array_equal(one.positions, other.positions)


@pytest.mark.parametrize("case", pick(lambda case: case.several))
@pytest.mark.shows("images")
def test_several_pictures_keep_apart(case):
    model, processor = case.blind_pair()
    sizes = case.sizes[:2]
    pictures = [tiny_models.picture(*size) for size in sizes]
    _, panels, before = laid_out(model, processor, conversation_from(pictures, None, PROMPT))
    assert {panel.image for panel in panels} == {0, 1}
    for image in (0, 1):
        panel = next(panel for panel in panels if panel.image == image)
        row, column = some_cells(panel)[2]
        painted = [
            tiny_models.picture(*size, box=cell_box(panel, row, column, size) if image == k else None)
            for k, size in enumerate(sizes)
        ]
        after = laid_out(model, processor, conversation_from(painted, None, PROMPT))[2]
        change = (after - before).norm(dim=-1).numpy()
        assert strongest(panel, change) == (row, column)
        assert change[panel.positions].max() > 0
        for other in panels:
            if other.image != image:
                assert change[other.positions].max() == 0


@pytest.mark.parametrize("case", pick(lambda case: case.video))
@pytest.mark.shows("video")
def test_a_square_in_one_frame_reacts_in_the_maps_of_that_frame(case):
    model, processor = case.blind_pair()
    width, height, count = 64, 48, 5
    frames = [tiny_models.picture(width, height) for _ in range(count)]
    _, panels, before = laid_out(model, processor, conversation_from(None, frames, PROMPT))
    shown = [panel.frame for panel in panels]
    assert shown == sorted(set(shown))
    assert shown[0] == 0
    for number in (0, len(panels) - 1):
        panel = panels[number]
        row, column = some_cells(panel)[1]
        painted = list(frames)
        painted[panel.frame] = tiny_models.picture(width, height, box=cell_box(panel, row, column, (width, height)))
        after = laid_out(model, processor, conversation_from(None, painted, PROMPT))[2]
        change = (after - before).norm(dim=-1).numpy()
        assert int(np.argmax([change[panel.positions].max() for panel in panels])) == number
        assert strongest(panel, change) == (row, column)
    ex = tam.explain(*case.pair(), video=frames, prompt=PROMPT, max_new_tokens=2, fps=4)
    assert ex.heatmap(-1).shape == (len(panels), *panels[0].grid)
    assert ex.images[0].times == tuple(frame / 4 for frame in shown)


@pytest.mark.parametrize("case", pick(lambda case: case.turns))
@pytest.mark.shows("turns")
def test_earlier_turns_are_read_where_they_stand(case):
    model, processor = case.pair()
    chat = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What color is the star?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A red circle."}]},
        {"role": "user", "content": [{"type": "text", "text": "Where is the square?"}]},
    ]
    picture = tiny_models.picture(*case.sizes[0])
    ex = tam.explain(model, processor, picture, messages=chat, max_new_tokens=3)
    said = {
        (turn, role): "".join(t.text for t in ex.tokens if (t.turn, t.role) == (turn, role)).strip()
        for turn, role in ((0, "prompt"), (0, "answer"), (1, "prompt"))
    }
    assert said == {
        (0, "prompt"): "What color is the star?",
        (0, "answer"): "A red circle.",
        (1, "prompt"): "Where is the square?",
    }
    # The first answer is read as if it were the last one.
    alone = tam.explain(model, processor, messages=chat[:2], images=picture)
    first = [token for token in ex.tokens if (token.turn, token.role) == (0, "answer")]
    given = [token for token in alone.tokens if token.role == "answer"]
    assert [token.id for token in first][: len(given)] == [token.id for token in given]
    for one, other in zip(first, given, strict=False):
        np.testing.assert_allclose(ex.heatmap(one), alone.heatmap(other), atol=1e-4)
        assert [c.id for c in one.candidates] == [c.id for c in other.candidates]


@pytest.mark.parametrize("case", pick(lambda case: True))
def test_the_states_are_those_behind_the_models_words(case):
    model, processor = case.pair()
    family = family_of(model.config)
    conversation = conversation_from(tiny_models.picture(*case.sizes[0]), None, PROMPT)
    prepared = prepare(processor, conversation, family.render)
    run = capture.generate(model, prepared.inputs, max_new_tokens=4, do_sample=False)
    said, grows = run.ids[len(prepared.ids) :], answer_inputs(prepared, family.answer_inputs)
    again = capture.replay(model, prepared.inputs, said, answer_inputs=grows)
    last, decoder = [], model.get_decoder()
    decoder = getattr(decoder, "model", decoder)  # Llama 4 hides its decoder one level deeper
    handle = decoder.register_forward_hook(lambda _module, _args, output: last.append(output[0]))
    try:
        with torch.no_grad():
            whole = model(**capture.on_device(model, capture.extended(prepared.inputs, said, grows)))
    finally:
        handle.remove()
    torch.testing.assert_close(again.states, last[0][0, :-1], atol=1e-5, rtol=0)
    torch.testing.assert_close(run.states, again.states, atol=1e-4, rtol=1e-4)
    logits = whole.logits[0, :-1].float()
    raw = model.get_output_embeddings()(run.states).float()[
        :, : logits.shape[1]
    ]  # a padded head may be cut to its words
    # A softcap or a scale may lie between; both keep the order, and a linear relation or tanh the values.
    config = model.config.get_text_config()
    scale = getattr(config, "logit_scale", None) or getattr(config, "output_multiplier", None) or 1
    cap = getattr(config, "final_logit_softcapping", None)
    raw = raw * scale
    capped = cap * torch.tanh(raw / cap) if cap else raw
    if torch.allclose(capped, logits, atol=2e-4, rtol=1e-3):  # an older transformers does not cap PaliGemma 2's
        raw = capped
    torch.testing.assert_close(raw, logits, atol=2e-4, rtol=1e-3)
    # Candidates have the probabilities of the model's own logits.
    steps = logits[len(prepared.ids) - 1 :].softmax(dim=-1)
    for choices in (run.choices, again.choices):
        expected = steps.gather(1, choices.ids.long())
        torch.testing.assert_close(choices.probabilities, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("case", pick(lambda case: True))
def test_replaying_what_was_generated_gives_the_same_maps(case):
    model, processor = case.pair()
    picture = tiny_models.picture(*case.sizes[-1], box=(5, 5, 20, 20))
    asked = 4
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=asked)
    family = family_of(model.config)
    prepared = prepare(processor, conversation_from(picture, None, PROMPT), family.render)
    said = [token.id for token in ex.tokens if token.role == "answer"]
    grows = answer_inputs(prepared, family.answer_inputs)
    run = capture.replay(model, prepared.inputs, said, answer_inputs=grows)
    assert run.choices.chosen.tolist() == said
    assert len(ex.heatmap(-1)) == ex.grids[0][0]
    whole = len(said) == asked  # else a control token was left out
    if whole and ex.answer.strip() and processor.tokenizer(ex.answer, add_special_tokens=False)["input_ids"] == said:
        given = tam.explain(model, processor, picture, PROMPT, answer=ex.answer)
        np.testing.assert_allclose(given.maps().images[0], ex.maps().images[0], atol=1e-4)
