"""A sample's scores: worked out by hand, and against the released evaluation's rules written out with OpenCV."""

import cv2
import numpy as np
import pytest
from made_answers import explained, maps_of
from PIL import Image

import tam_widget as tam
from tam_widget.evaluation import Sample, WordTagger, aggregate, demo_scenes, score

TAGGER = WordTagger("list", "simplemma")
LEFT, RIGHT = np.zeros((6, 8), np.float32), np.zeros((6, 8), np.float32)
LEFT[:, :4], RIGHT[:, 4:] = 1, 1
RAMP = np.linspace(0, 1, 48, dtype=np.float32).reshape(8, 6).T


def sample_of(masks, references=("a dog",), size=(80, 60)):
    return Sample("one", Image.new("RGB", size), "What is it?", references, masks)


def left(shape=(60, 80)):
    mask = np.zeros(shape, bool)
    mask[:, : shape[1] // 2] = True
    return mask


def rows_of(ex, maps, masks, **options):
    return score(ex, maps, sample_of(masks), tagger=TAGGER, **options).rows


def threshold_of(heatmap):
    ex = explained(["dog"])
    return rows_of(ex, maps_of(ex, {"dog": heatmap}), {"dog": left()})[0]["threshold"]


def test_nouns_and_function_words_have_rows():
    ex = explained(["The", " dog", " sits", " on", " a", " ben", "ch", "."])
    maps = maps_of(ex, {" dog": LEFT, "ch": 0.2 * RIGHT, " a": 0.5 * LEFT})
    scores = score(ex, maps, sample_of({"dog": left(), "bench": left()}, ["The dog sits."]), tagger=TAGGER)
    the, dog, a, bench = scores.rows
    assert [row["text"] for row in scores.rows] == ["The", "dog", "a", "bench"]
    assert [row["word"] for row in scores.rows] == [0, 1, 4, 5]
    assert [row["kind"] for row in scores.rows] == ["function", "noun", "function", "noun"]
    assert [row["category"] for row in scores.rows] == [None, "dog", None, "bench"]
    assert {tuple(row) for row in scores.rows} == {tuple(the)}  # the same keys: they make a table
    assert dog["object_iou"] > 0.9
    assert dog["pointing"]
    assert dog["token"] == 5
    assert dog["function_iou"] is None
    assert bench["object_iou"] < 0.1
    assert not bench["pointing"]
    assert the["zero"]
    assert not a["zero"]
    assert the["function_iou"] == 1.0
    assert a["function_iou"] in {0.5, 1.0}
    assert a["threshold"] == the["threshold"] == np.mean([dog["threshold"], bench["threshold"]])
    assert (scores.sample, scores.answer, scores.matching) == ("one", "The dog sits on a bench.", "exact")
    assert "simplemma" in scores.source


def test_a_word_is_judged_by_its_best_token_and_its_highest_threshold():
    ex = explained(["tri", "ang", "le"])
    (row,) = rows_of(ex, maps_of(ex, {"tri": RAMP[:, ::-1], "ang": 0.4 * RAMP}), {"triangle": ~left()})
    assert row["token"] == 5
    assert row["object_iou"] > 0.7
    assert row["threshold"] == threshold_of(RAMP) > threshold_of(0.4 * RAMP)


def test_words_of_one_object_are_one_row_with_the_better_iou_and_two_thresholds():
    ex = explained(["a", " traffic", " light"])
    maps = maps_of(ex, {" traffic": RAMP, " light": 0.4 * RAMP[:, ::-1]})
    function, noun = rows_of(ex, maps, {"traffic light": left()})
    assert (noun["text"], noun["word"], noun["token"]) == ("traffic light", 1, 6)
    assert noun["object_iou"] > 0.7
    assert noun["threshold"] == threshold_of(0.4 * RAMP)
    assert function["threshold"] == (threshold_of(RAMP) + threshold_of(0.4 * RAMP)) / 2


def test_an_object_that_is_not_in_the_picture_counts_for_the_threshold_only():
    ex = explained(["a", " cat"])
    function, noun = rows_of(ex, maps_of(ex, {" cat": LEFT}), {"cat": np.zeros((60, 80), bool)})
    assert noun["category"] == "cat"
    assert noun["threshold"] is not None
    assert [noun[name] for name in ("object_iou", "precision", "recall", "energy", "pointing")] == [None] * 5
    assert function["function_iou"] == 1.0


def test_without_nouns_function_words_have_no_score():
    ex = explained(["a", " b"])
    (row,) = rows_of(ex, maps_of(ex, {}), {"cat": left()})
    assert (row["text"], row["function_iou"], row["threshold"], row["zero"]) == ("a", None, None, True)
    summary = aggregate([row])
    assert (summary.functions, summary.object_iou, summary.function_iou, summary.f1_iou) == (0, None, None, None)


def test_an_empty_answer_has_no_rows():
    ex = explained([])
    assert rows_of(ex, maps_of(ex, {}), {"cat": left()}) == ()


def test_matching_as_released():
    ex = explained(["a", " dog"])
    masks = {"dog": left(), "hot dog": ~left()}
    maps = maps_of(ex, {" dog": LEFT})
    exact, released = (rows_of(ex, maps, masks, matching=how)[1] for how in ("exact", "released"))
    assert (exact["category"], released["category"]) == ("dog", "hot dog")
    assert exact["object_iou"] > 0.9
    assert released["object_iou"] < 0.1


def test_the_grid_s_box_is_scaled_to_the_masks():
    # The grid covers the left half of the picture only, and the masks are drawn at half size.
    ex = explained(["dog"], box=(0.0, 0.0, 40.0, 60.0))
    (row,) = rows_of(ex, maps_of(ex, {"dog": LEFT}), {"dog": np.pad(np.ones((30, 10), bool), ((0, 0), (0, 30)))})
    assert row["object_iou"] > 0.85
    assert row["precision"] > 0.85


def test_cells_that_were_not_seen_are_not_looked_at():
    ex = explained(["a", " dog"])
    seen = LEFT.copy()
    seen[:, 6:] = np.nan
    function, noun = rows_of(ex, maps_of(ex, {" dog": seen, "a": np.full((6, 8), np.nan)}), {"dog": left()})
    assert noun["object_iou"] > 0.9
    assert function["zero"]


def test_only_the_answer_is_scored():
    ex = explained(["a"], prompt=("the", " dog"))
    assert [row["text"] for row in rows_of(ex, maps_of(ex, {}), {"dog": left()})] == ["a"]


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 6, 9), (5, 3, 6, 8), (6, 8)])
def test_maps_that_do_not_fit_are_refused(shape):
    ex = explained(["dog"])
    with pytest.raises(ValueError, match=r"5 tokens of one picture, whose grid is \(6, 8\)"):
        rows_of(ex, np.zeros(shape, np.float32), {"dog": left()})


def test_masks_that_do_not_fit_are_refused():
    ex = explained(["dog", " cat"])
    maps = maps_of(ex, {})
    with pytest.raises(tam.DatasetError, match="turned by 90°"):
        rows_of(ex, maps, {"dog": left((80, 60))})
    with pytest.raises(tam.DatasetError, match="'cat' has the shape"):
        rows_of(ex, maps, {"dog": left(), "cat": left((30, 40))})


def test_the_table_of_samples(no_nltk_data):
    ex = explained(["a", " dog"])
    row = score(ex, maps_of(ex, {}), sample_of({"dog": left()}), tagger=TAGGER).row()
    assert row["rouge_l"] == 1.0
    assert row["meteor"] is None
    assert row["missing"].startswith("meteor: WordNet is not installed")
    assert aggregate([], [row, {**row, "rouge_l": 0.5}]).rouge_l == 0.75
    assert aggregate([], [row]).meteor is None


def test_the_mean_over_words_is_not_the_mean_over_samples():
    def row(objects=None, functions=None, *, zero=False):
        one = dict.fromkeys(("precision", "recall", "energy", "pointing"), objects)
        return {"object_iou": objects, "function_iou": functions, "zero": zero, **one}

    nan = float("nan")
    rows = [row(0.2), row(0.6), row(0.1), row(nan, 1.0, zero=True), row(None, 0.5), row(None, None, zero=True)]
    summary = aggregate(rows)
    assert (summary.objects, summary.functions) == (3, 2)
    assert summary.object_iou == pytest.approx(0.3)
    assert summary.function_iou == pytest.approx(0.75)
    assert summary.f1_iou == pytest.approx(2 * 0.3 * 0.75 / 1.05)
    assert summary.zero_functions == 0.5
    assert summary.precision == pytest.approx(0.3)


def released_rules(words, maps, labels, category):
    """The released evaluation's sums for words of (kind, lemma, tokens), with OpenCV."""
    numbers = []
    for kind, lemma, _ in words:
        number = {"noun": -1, "function": -2, "other": -3}[kind]
        if kind == "noun":
            for name, value in category.items():
                if lemma in name.split():
                    number = value
        numbers.append(number)
    scored, thresholds, before = [], [], None
    for number, (_, _, tokens) in zip(numbers, words, strict=True):
        found = []
        if number > 0 or number == -1:
            found = [cv2.threshold(cv2.resize(maps[t], labels.shape[::-1]), 0, 1, cv2.THRESH_OTSU) for t in tokens]
            thresholds.append(max(threshold for threshold, _ in found))
        truth = labels == number
        if number > 0 and truth.any():
            values = []
            for _, above in found:
                both = (above.astype(bool) & truth).sum()
                values.append(
                    (both / (above.astype(bool) | truth).sum(), both / max(above.sum(), 1), both / truth.sum())
                )
            best = max(values, key=lambda value: value[0])
            if number == before:
                scored[-1] = max(scored[-1], best, key=lambda value: value[0])
            else:
                scored.append(best)
        before = number
    functions = [
        np.mean([(maps[t] < np.mean(thresholds)).mean() for t in tokens])
        for number, (_, _, tokens) in zip(numbers, words, strict=True)
        if number == -2 and thresholds
    ]
    return scored, functions


@pytest.mark.parametrize("seed", range(60))
def test_scores_follow_the_released_rules(seed):
    rng = np.random.default_rng(seed)
    category = {"dog": 18, "traffic light": 10, "cat": 17, "hot dog": 58, "bench": 15}
    vocabulary = [
        ("noun", "dog"), ("noun", "traffic"), ("noun", "light"), ("noun", "cat"), ("noun", "bench"),
        ("function", "the"), ("function", "and"), ("other", "runs"), ("other", "."),
    ]  # fmt: skip
    pieces, words = [], []
    for kind, text in (vocabulary[i] for i in rng.integers(len(vocabulary), size=14)):
        parts = [" " + text] if rng.random() < 0.6 or len(text) < 3 else [" " + text[:2], text[2:]]
        words.append((kind, text, list(range(4 + len(pieces), 4 + len(pieces) + len(parts)))))
        pieces += parts
    ex = explained(pieces, size=(97, 61), grid=(5, 9))
    maps = rng.random((len(ex.tokens), 5, 9)).astype(np.float32) ** 4
    maps[rng.random(len(maps)) < 0.2] = 0
    labels = rng.choice([0, 18, 10, 17, 58], size=(61, 97), p=[0.6, 0.1, 0.1, 0.1, 0.1])
    masks = {name: labels == number for name, number in category.items()}

    rows = rows_of(ex, maps, masks, matching="released")
    objects = [row for row in rows if row["object_iou"] is not None]
    functions = [row["function_iou"] for row in rows if row["function_iou"] is not None]
    scored, expected = released_rules(words, np.floor(255 * maps).astype(np.uint8), labels, category)
    assert len(objects) == len(scored)
    assert functions == pytest.approx(expected)
    for row, values in zip(objects, scored, strict=True):
        assert [row["object_iou"], row["precision"], row["recall"]] == pytest.approx(values)


def test_the_demo_model_on_scenes():
    model, processor = tam.load_demo()
    rows, samples = [], []
    for sample in demo_scenes(4):
        ex = tam.explain(model, processor, sample.image, sample.prompt)
        scores = score(ex, ex.maps().images[0], sample, tagger=TAGGER)
        assert {row["category"] for row in scores.rows if row["kind"] == "noun"} <= set(sample.masks)
        rows += scores.rows
        samples.append(scores.row())
    summary = aggregate(rows, samples)
    assert summary.object_iou > 0.5
    assert summary.f1_iou > 0.6
    assert summary.rouge_l > 0.9
    flipped = [
        row
        for sample in demo_scenes(2)
        for ex in [tam.explain(model, processor, sample.image, sample.prompt)]
        for row in score(ex, ex.maps().images[0][:, ::-1, ::-1], sample, tagger=TAGGER).rows
    ]
    assert aggregate(flipped).object_iou < 0.3  # maps of something else score badly
