"""check_family says of every cell whether it lies on the pixels that its vision token was made from."""

import numpy as np
import pytest
import tiny_models
import torch
from tiny.case import decoder, template, tower, words
from tiny.cases import CASES
from transformers import AriaConfig, AriaForConditionalGeneration, AriaImageProcessor, AriaProcessor

import tam_widget as tam
from tam_widget.checks.squares import EDGES, cell_boxes, codes, lines, squares
from tam_widget.models import families
from tam_widget.models.families import qwen_vl
from tam_widget.models.layout import Panel

PICTURE = tiny_models.picture(107, 83)


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))


@pytest.fixture(scope="module")
def pair():
    """A model whose vision tokens attend to each other."""
    model, processor = tiny_models.build(), tiny_models.processor()
    return model, processor


@pytest.fixture
def taught(registry, pair):
    """A function that checks a family of one's own on that model."""
    model, processor = pair
    known = model.config.model_type

    def check(views, pictures=PICTURE):
        tam.register_family("my_vlm", views)
        model.config.model_type = "my_vlm"
        return tam.check_family(model, processor, pictures)

    yield check
    model.config.model_type = known


def moved(right, down=0.0):
    """Views that lie off by so many cells."""

    def views(place):
        (view,) = qwen_vl.views(place)
        rows, columns = view.positions.shape
        x, y = right * place.width / columns, down * place.height / rows
        return [place.view("main", view.positions, rows, columns, (x, y, place.width + x, place.height + y))]

    return views


def test_a_right_family_fits_in_every_cell_also_where_the_tower_attends(pair):
    check = tam.check_family(*pair, [PICTURE, tiny_models.picture(61, 128)])
    assert check.ok
    assert not check.misfits
    assert {row.picture for row in check.rows} == {0, 1}
    grid = tam.explain(*pair, PICTURE, "What is it?", answer="star").grids[0]
    assert {(row.row, row.column) for row in check.rows if row.picture == 0} == set(np.ndindex(grid))
    assert all(row.edges == dict.fromkeys(EDGES, True) for row in check.rows)
    assert min(row.contrast for row in check.rows) > 0.5
    assert check.rows[0].box == pytest.approx((0, 0, 107 / grid[1], 83 / grid[0]))


def test_by_default_grey_pictures_of_three_shapes_are_tried():
    check = tam.check_family(*next(case for case in CASES if case.family == "gemma3").pair())
    assert check.ok
    shapes = [picture.width / picture.height for picture in check.pictures]
    assert shapes == pytest.approx([4 / 3, 1 / 2.1, 3.1], rel=0.02)
    sides = [min(row.box[2] - row.box[0], row.box[3] - row.box[1]) for row in check.rows]
    assert min(sides) >= 12


@pytest.mark.parametrize(("right", "down", "beyond"), [(0.25, 0, "right"), (0, 0.25, "bottom"), (-0.25, 0, "left")])
def test_a_quarter_of_a_cell_is_noticed_at_the_edge(taught, right, down, beyond):
    check = taught(moved(right, down))
    assert not check.ok
    off = [row for row in check.rows if row.edges[beyond] is False]
    assert len(off) > len(check.rows) / 2
    assert f"beyond its {beyond} edge" in str(off[0])


def test_a_twentieth_of_a_cell_is_let_pass(taught):
    assert taught(moved(0.05, -0.05)).ok


def test_cells_in_another_order_are_led_to_where_they_belong(taught):
    def mirrored(place):
        (view,) = qwen_vl.views(place)
        return [place.view("main", view.positions[:, ::-1], *view.positions.shape)]

    check = taught(mirrored)
    last = max(row.column for row in check.rows)
    assert {row.reacts_at for row in check.rows} == {(row.row, row.column) for row in check.rows}
    assert all(row.reacts_at == (row.row, last - row.column) for row in check.rows)
    assert f"its token reacts to cell (0, {last})" in str(check.misfits[0])


def test_queries_fit_nowhere(registry):
    tokens = words(named={"image_token": "<image>"})
    images = AriaImageProcessor(max_image_size=490, min_image_size=336)
    processor = AriaProcessor(images, tokens, chat_template=template(), size_conversion={490: 16})
    processor.images_kwargs = {**AriaProcessor.images_kwargs, "max_image_size": 490}
    config = AriaConfig(
        text_config=decoder(tokens, moe_num_experts=2, moe_topk=1, moe_num_shared_experts=1),
        vision_config=tower(model_type="idefics3_vision", image_size=490, patch_size=35, initializer_range=0.2),
        projector_patch_to_query_dict={196: 16},
        image_token_index=tokens.image_token_id,
    )
    torch.manual_seed(0)
    model = AriaForConditionalGeneration(config).eval()
    with pytest.raises(tam.UnsupportedModelError, match="learned queries"):
        tam.check_family(model, processor)
    tam.register_family("aria", lambda place: [place.view("main", place.placeholders, 4, 4)])
    check = tam.check_family(model, processor, tiny_models.picture(490, 490))
    assert not any(row.fits for row in check.rows)
    assert max(row.contrast for row in check.rows) < 0.5
    assert "reacts to no cell more than to others" in repr(check)


def test_a_word_that_reacts_to_the_picture_is_no_word(pair, monkeypatch):
    model, processor = pair
    from tam_widget.checks import cells

    prepare = cells.prepare

    def one_too_early(*args):
        made = prepare(*args)
        object.__setattr__(made.slots[0], "position", made.spans[0][1] - 2)
        return made

    monkeypatch.setattr(cells, "prepare", one_too_early)
    check = tam.check_family(model, processor, tiny_models.picture(40, 31))
    assert (check.words, check.ok) == (1, False)
    assert "1 tokens of the question react to the picture" in repr(check)


def test_the_model_is_left_as_it_was_and_its_decoder_does_not_run(pair, monkeypatch):
    model, processor = pair
    model.train()
    asleep = model.model.visual.blocks[0]
    asleep.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def run(*_args, **_kwargs):
        raise AssertionError("the decoder ran")

    monkeypatch.setattr(model.get_decoder(), "forward", run)
    try:
        assert tam.check_family(model, processor, tiny_models.picture(40, 31)).ok
        assert model.training
        assert model.get_decoder().training
        assert not asleep.training
        assert tiny_models.hook_count(model) == 0
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert all(parameter.grad is None for parameter in model.parameters())
    finally:
        model.eval()


def test_what_was_found_is_shown_as_a_table_and_a_picture(taught):
    check = taught(moved(0.6), [tiny_models.picture(61, 45), tiny_models.picture(31, 50)])
    said = repr(check)
    assert said.startswith(f"<FamilyCheck my_vlm: {len(check.misfits)} of {len(check.rows)} cells do not fit\npicture")
    assert "61×45" in said
    assert f"and {len(check.misfits) - 8} more" in said
    page = check._repr_html_()
    assert "<td>31×50</td>" in page
    assert page.count("<tr>") == 3
    figure = check.plot()
    assert len(figure.axes) == 2
    assert [len(axes.patches) for axes in figure.axes] == [sum(row.picture == k for row in check.rows) for k in (0, 1)]
    assert sum(len(axes.lines) for axes in figure.axes) == sum(
        row.reacts_at not in {None, (row.row, row.column)} for row in check.rows
    )
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_markup_in_a_models_type_stays_text(registry, pair):
    model, processor = pair
    known = model.config.model_type
    try:
        model.config.model_type = "<b>my_vlm</b>"
        page = tam.check_family(model, processor, tiny_models.picture(40, 31))._repr_html_()
    finally:
        model.config.model_type = known
    assert "&lt;b&gt;my_vlm&lt;/b&gt;: all" in page


def test_a_picture_that_is_refused_is_named_and_all_of_them_are_an_error(taught):
    def no_portraits(place):
        if place.width < place.height:
            raise tam.LayoutError("no portraits")
        return qwen_vl.views(place)

    check = taught(no_portraits, [PICTURE, tiny_models.picture(61, 128)])
    assert check.ok
    assert [refusal.size for refusal in check.refused] == [(61, 128)]
    assert "61×128 is refused: no portraits" in repr(check)
    with pytest.raises(tam.LayoutError, match="no portraits"):
        taught(no_portraits, tiny_models.picture(61, 128))


def test_a_global_view_is_checked_beside_the_tiles():
    case = next(case for case in CASES if case.family == "internvl")
    check = tam.check_family(*case.blind_pair(), tiny_models.picture(96, 64))
    assert check.ok
    assert {row.view for row in check.rows} == {"stitched", "global"}


@pytest.mark.parametrize("given", [(None, None), (torch.nn.Linear(1, 1), object())])
def test_what_is_no_model_is_refused(given):
    with pytest.raises(tam.UnsupportedModelError, match=r"a model of transformers and its processor are needed"):
        tam.check_family(*given)


def test_a_picture_too_small_for_squares_checks_nothing():
    case = next(case for case in CASES if case.family == "paligemma")
    check = tam.check_family(*case.blind_pair(), tiny_models.picture(5, 5))
    assert not check.ok
    assert "no cell was tried" in repr(check)


def test_no_pictures_are_no_check(pair):
    with pytest.raises(tam.PictureError, match="images is empty"):
        tam.check_family(*pair, [])


# The squares.


@pytest.mark.parametrize(("edge", "wide"), [(None, 1.9), ("left", 2.9), ("right", 2.9)])
def test_a_cell_that_is_too_small_has_no_square(edge, wide):
    left, top, right, bottom = squares(np.array([3.0, 0.0, 3.0 + wide, 20.0]), edge)
    assert (left, top) == (right, bottom)


@pytest.mark.parametrize("kinds", [1, 2, 3, 10, 84, 495, 1000])
def test_no_two_kinds_of_cells_are_painted_in_the_same_pictures(kinds):
    code = codes(kinds)
    assert code.shape[1] == kinds
    assert len({tuple(column) for column in code.T}) == kinds
    assert set(code.sum(axis=0)) == {round(len(code) / 3)}
    assert len(code) <= 14


def test_squares_lie_inside_their_cells_and_at_their_edges():
    panel = Panel(0, "stitched", (5, 7), (-3.5, 0.0, 101.5, 71.3), np.arange(35).reshape(5, 7))
    boxes = cell_boxes(panel, (100, 70))
    assert boxes[0, 0].tolist() == pytest.approx([0, 0, 11.5, 14.26])
    assert boxes[4, 6].tolist() == pytest.approx([86.5, 57.04, 100, 70])
    for edge in (None, *EDGES):
        found = squares(boxes, edge)
        assert (found[..., :2] >= np.floor(boxes[..., :2])).all()
        assert (found[..., 2:] <= np.ceil(boxes[..., 2:])).all()
        assert (found[..., 2:] > found[..., :2]).all()
        if edge:
            side = EDGES.index(edge)
            assert np.abs(found[..., side] - boxes[..., side]).max() <= 1
    for edge in EDGES:
        own = lines((5, 7), edge)
        beside = own[:, 1:] != own[:, :-1] if edge in {"left", "right"} else own[1:] != own[:-1]
        assert beside.all()
