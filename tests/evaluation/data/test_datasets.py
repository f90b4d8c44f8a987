"""Data sets in every layout, made of scenes: what was written is what is read."""

import json
import shutil

import numpy as np
import pytest
from made_answers import travelled
from PIL import Image

import tam_widget as tam
from tam_widget import DatasetError, demo
from tam_widget.evaluation import (
    COCO_CATEGORIES,
    coco_captions,
    demo_scenes,
    from_folder,
    from_rows,
    grandf,
    open_dataset,
    openpsg,
)

SHAPES = {"circle": 16, "square": 3, "triangle": 9, "star": 31, "cross": 88}
SCENES = [demo.scene(seed) for seed in (20, 21, 22)]


def labels_of(scene, ids):
    labels = np.zeros((scene.image.height, scene.image.width), np.uint8)
    for thing in scene.objects:
        labels[thing.mask] = ids[thing.shape]
    return labels


def check(dataset, *, prompt, ids=SHAPES, names=None):
    """Hold a data set against the scenes it was made of, before and after a trip to another process."""
    names, size = names or {shape: shape for shape in ids}, len(SCENES)
    for one in (dataset, travelled(dataset)):
        assert len(one) == size
        for sample, scene in zip(one, SCENES, strict=False):
            assert sample.prompt == prompt
            assert sample.references == (scene.caption,)
            assert sample.image.mode == "RGB"
            assert sample.image is sample.image  # loaded once
            assert np.abs(np.asarray(sample.image, int) - np.asarray(scene.image)).mean() < 6  # JPEG
            for shape, name in names.items():
                mask = sample.masks[name]
                assert mask.dtype == bool
                assert (mask == (labels_of(scene, ids) == ids[shape])).all()
    assert len({sample.id for sample in dataset}) == size
    assert dataset[-1].id == dataset[size - 1].id
    with pytest.raises(IndexError, match=f"has {size}, counted from 0"):
        dataset[size]


@pytest.fixture
def coco(tmp_path):
    root = tmp_path / "coco2014"
    for folder in ("image", "seg_label", "annotations"):
        (root / folder).mkdir(parents=True)
    for number, scene in enumerate(SCENES, 40):
        scene.image.save(root / f"image/{number:012d}.jpg", quality=95)
        Image.fromarray(labels_of(scene, SHAPES)).save(root / f"seg_label/{number:012d}.png")
    images = [{"id": number} for number in range(40, 43)]
    captions = [{"image_id": number, "caption": scene.caption} for number, scene in enumerate(SCENES, 40)]
    (root / "annotations/instances_minival2014.json").write_text(json.dumps({"images": images}))
    (root / "annotations/captions_val2014.json").write_text(json.dumps({"annotations": captions}))
    return root


def annotated(root, mode="L"):
    """GranDf and OpenPSG: ids of each picture's own."""
    (root / "mask").mkdir(parents=True)
    entries = []
    for number, scene in enumerate(SCENES):
        ids = {shape: 1 + (place + number) % 5 for place, shape in enumerate(SHAPES)}
        scene.image.save(root / f"{number}.png")
        picture = Image.fromarray(labels_of(scene, ids))
        if mode == "P":
            picture = picture.convert("P")
            picture.putdata(labels_of(scene, ids).ravel())
            picture.putpalette([255 - i // 3 for i in range(768)])
        picture.save(root / f"mask/{number}.png")
        entries.append([f"{number}.png", scene.caption, f"mask/{number}.png", ids])
    (root / "anno.json").write_text(json.dumps(entries))
    return root


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "folder"
    (root / "images").mkdir(parents=True)
    (root / "captions").mkdir()
    for number, scene in enumerate(SCENES):
        scene.image.save(root / f"images/scene {number}.png")
        (root / f"captions/scene {number}.txt").write_text(f"{scene.caption}\n\n")
        for thing in scene.objects:
            path = root / f"masks/scene {number}/{thing.shape}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(scene.mask(thing.shape)).save(path)
    return root


def test_coco(coco):
    by_id = {number: name for name, number in COCO_CATEGORIES.items()}
    names = {shape: by_id[number] for shape, number in SHAPES.items()}
    prompt = "Write a one-sentence caption for this image:"
    dataset = coco_captions(coco)
    check(dataset, prompt=prompt, names=names)
    check(open_dataset(f"coco:{coco}", prompt="What?"), prompt="What?", names=names)
    assert dataset[0].id == "000000000040"
    assert len(dataset[0].masks) == 80
    assert repr(dataset) == "<Dataset COCO Caption: 3 samples>"
    assert dataset.notes == ()


def test_coco_s_table_is_whole():
    assert len(COCO_CATEGORIES) == 80
    gaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    assert sorted(COCO_CATEGORIES.values()) == [number for number in range(1, 91) if number not in gaps]
    assert list(COCO_CATEGORIES.values()) == sorted(COCO_CATEGORIES.values())


def test_two_of_coco_s_names_are_the_released_evaluation_s(coco):
    assert {"ball", "glass"} <= set(coco_captions(coco)[0].masks)
    own = coco_captions(coco, categories=COCO_CATEGORIES)[0].masks
    assert {"sports ball", "wine glass"} <= set(own)


def test_a_picture_without_labels_is_background(coco):
    (coco / "seg_label/000000000041.png").unlink()
    dataset = coco_captions(coco)
    assert dataset.notes == ("1 of 3 samples have no label picture: all of it counts as background",)
    assert dataset[1].masks["dog"].shape == (224, 224)
    assert not dataset[1].masks["dog"].any()
    for path in (coco / "seg_label").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match=r"no label picture at all; the first should be .*000000000040\.png"):
        coco_captions(coco)


def test_a_picture_without_caption_has_no_reference(coco):
    (coco / "annotations/captions_val2014.json").write_text('{"annotations": []}')
    assert coco_captions(coco)[0].references == ()


@pytest.mark.parametrize(
    ("open_it", "kind", "sentences", "mode"), [(grandf, "grandf", "two", "L"), (openpsg, "openpsg", "three", "P")]
)
def test_grandf_and_openpsg(tmp_path, open_it, kind, sentences, mode):
    root = annotated(tmp_path / "data", mode)
    prompt = f"Write a description for this image using around {sentences} sentences:"
    for dataset in (open_it(root), open_dataset(f"{kind}:{root}")):
        assert len(dataset) == len(SCENES)
        for number, (sample, scene) in enumerate(zip(dataset, SCENES, strict=True)):
            ids = {shape: 1 + (place + number) % 5 for place, shape in enumerate(SHAPES)}
            assert sample.prompt == prompt
            assert sample.references == (scene.caption,)
            assert list(sample.masks) == list(SHAPES)
            for shape, mask in sample.masks.items():
                assert (mask == (labels_of(scene, ids) == ids[shape])).all()
    assert travelled(open_it(root))[0].id == "0.png"
    assert open_it(root, prompt="What?")[0].prompt == "What?"


def test_the_background_is_no_category(tmp_path):
    root = annotated(tmp_path / "data")
    entries = json.loads((root / "anno.json").read_text())
    entries[0][3]["sky"] = 0
    (root / "anno.json").write_text(json.dumps(entries))
    assert "sky" not in grandf(root)[0].masks


def test_demo_scenes():
    dataset = demo_scenes(3, 20)
    check(dataset, prompt="Describe this image.")
    assert set(dataset[0].masks) == {*SHAPES, "red", "green", "blue", "yellow", "purple", "orange"}
    for colour in ("red", "green", "blue", "yellow", "purple", "orange"):
        there = [thing.mask for thing in SCENES[0].objects if thing.colour == colour]
        assert (dataset[0].masks[colour] == np.logical_or.reduce([np.zeros((224, 224), bool), *there])).all()
    assert len(open_dataset("demo")) == 100
    assert len(open_dataset("demo:7")) == 7
    assert open_dataset("demo:7")[0].id == "scene 10000"
    with pytest.raises(DatasetError, match="counted from 1"):
        demo_scenes(0)


def test_demo_scenes_of_a_kind():
    overlaps = open_dataset("demo:overlap:3")
    assert len(overlaps) == 3
    assert overlaps.name == "demo scenes of the kind overlap, 10000 to 10002"
    scene = demo.scene(10000, "overlap")
    sample = overlaps[0]
    assert sample.references == (scene.caption,)
    for thing in scene.objects:
        assert (sample.masks[thing.shape] == thing.mask).all()
    text = demo.scene(4, "text")
    masks = demo_scenes(1, 4, kind="text")[0].masks
    (sign,) = [thing for thing in text.objects if thing.text]
    assert (masks[sign.text] == sign.mask).all()
    assert (masks["sign"] == sign.mask).all()
    assert not masks["stop" if sign.text != "stop" else "go"].any()
    with pytest.raises(
        DatasetError, match="one picture are objects, count, text, overlap, things, things-unseen; got 'moving'"
    ):
        open_dataset("demo:moving:3")


def test_demo_scenes_of_things():
    scene = demo.scene(10000, "things")
    masks = open_dataset("demo:things:1")[0].masks
    assert len(masks) > 100
    assert {name for name, mask in masks.items() if mask.any()} == {thing.name for thing in scene.objects}
    for name in {thing.name for thing in scene.objects}:
        assert (masks[name] == scene.mask(name)).all()


def test_a_folder(folder):
    there = {thing.shape: thing.shape for scene in SCENES for thing in scene.objects}
    check(from_folder(folder), prompt="Describe this image.", names=there)
    assert list(from_folder(folder)[0].masks) == sorted(there)
    (folder / "prompt.txt").write_text("What is this?\n")
    check(open_dataset(f"folder:{folder}"), prompt="What is this?", names=there)
    check(from_folder(folder, prompt="What?"), prompt="What?", names=there)


def test_a_folder_of_pictures_alone(folder):
    shutil.rmtree(folder / "masks")
    shutil.rmtree(folder / "captions")
    dataset = from_folder(folder)
    assert dataset.notes == ("3 of 3 samples have no mask: all of it counts as background",)
    assert dataset[0].references == ()
    assert dict(dataset[0].masks) == {}


def test_a_folder_s_masks_may_be_in_colour_but_not_transparent(folder):
    (path,) = list((folder / "masks/scene 0").glob("*.png"))[:1]
    mask = np.asarray(Image.open(path)).astype(bool)
    Image.fromarray((mask[..., None] * np.array([0, 0, 200])).astype(np.uint8)).save(path)
    assert (from_folder(folder)[0].masks[path.stem] == mask).all()
    Image.fromarray(mask).convert("RGBA").save(path)
    with pytest.raises(DatasetError, match="alpha channel"):
        _ = from_folder(folder)[0].masks[path.stem]
    path.write_text("no picture")
    with pytest.raises(DatasetError, match="not a mask that can be read"):
        _ = from_folder(folder)[0].masks[path.stem]


class Table(list):
    """What of a Hugging Face data set is used."""

    @property
    def column_names(self):
        return list(self[0])


@pytest.mark.parametrize("kind", [list, Table])
def test_rows_of_a_table(kind, tmp_path):
    rows = kind(
        {"image": scene.image, "captions": [scene.caption], "labels": Image.fromarray(labels_of(scene, SHAPES)), "n": n}
        for n, scene in enumerate(SCENES)
    )
    dataset = from_rows(rows, references="captions", mask="labels", categories=SHAPES, id="n", name="scenes")
    check(dataset, prompt="Describe this image.")
    assert dataset.name == "scenes"


def test_rows_of_files_and_of_categories_of_their_own(tmp_path):
    rows = []
    for number, scene in enumerate(SCENES):
        scene.image.save(tmp_path / f"{number}.png")
        Image.fromarray(labels_of(scene, SHAPES)).save(tmp_path / f"labels {number}.png")
        picture = {"bytes": (tmp_path / f"{number}.png").read_bytes(), "path": None}
        labels = {"bytes": (tmp_path / f"labels {number}.png").read_bytes(), "path": None}
        rows.append({"photo": picture, "said": scene.caption, "seg": labels, "ids": {**SHAPES, "dog": None}})
    rows[1] |= {"photo": {"bytes": None, "path": str(tmp_path / "1.png")}, "seg": str(tmp_path / "labels 1.png")}
    rows[2] |= {"photo": str(tmp_path / "2.png"), "seg": labels_of(SCENES[2], SHAPES).tolist()}
    dataset = from_rows(rows, image="photo", references="said", mask="seg", categories="ids", prompt="What?")
    check(dataset, prompt="What?")
    assert "dog" not in dataset[0].masks
    bare = from_rows(rows, image="photo")[0]
    assert (bare.references, dict(bare.masks), bare.id) == ((), {}, "0")


def test_wrong_tables():
    rows = [{"image": SCENES[0].image, "labels": None}]
    with pytest.raises(DatasetError, match="no column 'caption'; it has image, labels"):
        from_rows(rows, references="caption")
    with pytest.raises(DatasetError, match="give both or neither"):
        from_rows(rows, mask="labels")
    with pytest.raises(DatasetError, match="no rows"):
        from_rows([])


@pytest.mark.parametrize(
    "spec", ["", "demo:", "demo:many", "demo:-3", "demo:text:1:2", "imagenet:/x", "coco", "coco:", "folder"]
)
def test_wrong_specs(spec):
    with pytest.raises(DatasetError, match=r"demo:500"):
        open_dataset(spec)


@pytest.mark.parametrize("kind", ["coco", "grandf", "openpsg"])
def test_a_folder_that_is_not_there_or_is_something_else(kind, tmp_path):
    with pytest.raises(DatasetError, match="there is no folder"):
        open_dataset(f"{kind}:{tmp_path / 'nowhere'}")
    with pytest.raises(DatasetError, match="it has nothing"):
        open_dataset(f"{kind}:{tmp_path}")
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DatasetError, match=r"needs .*; it has readme\.txt"):
        open_dataset(f"{kind}:{tmp_path}")


def test_a_broken_coco(coco):
    (coco / "image/000000000042.jpg").unlink()
    with pytest.raises(DatasetError, match=r"3 pictures, of which 1 are missing; the first is .*42\.jpg"):
        coco_captions(coco)
    (coco / "annotations/instances_minival2014.json").write_text('{"pictures": []}')
    with pytest.raises(DatasetError, match=r"needs images\[\]\.id"):
        coco_captions(coco)
    (coco / "annotations/instances_minival2014.json").write_text('{"images": []}')
    with pytest.raises(DatasetError, match="lists no picture"):
        coco_captions(coco)
    (coco / "annotations/instances_minival2014.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot read"):
        coco_captions(coco)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "holds a dict, not a list"),
        ('[["0.png", "a", "mask/0.png"]]', r"entry 0 .*must be \[picture, caption, label picture"),
        ('[["0.png", "a", "mask/0.png", {"dog": "1"}]]', "entry 0"),
        ("[]", "lists no picture"),
    ],
)
def test_a_broken_list(tmp_path, content, message):
    root = annotated(tmp_path / "data")
    (root / "anno.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        grandf(root)


def test_label_pictures_that_are_none(tmp_path):
    root = annotated(tmp_path / "data")
    SCENES[0].image.save(root / "mask/0.png")
    with pytest.raises(DatasetError, match=r"mask/0\.png' must hold one integer for each pixel"):
        _ = grandf(root)[0].masks["star"]
    (root / "mask/0.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"mask/0\.png' is not a picture of labels"):
        _ = grandf(root)[0].masks["star"]


def test_broken_folders(folder):
    with pytest.raises(DatasetError, match="holds no picture"):
        from_folder(folder / "masks")
    (folder / "captions/kitchen.txt").touch()
    with pytest.raises(DatasetError, match=r"caption 'kitchen', but no picture .* begins with 'scene 0\.png'"):
        from_folder(folder)
    shutil.copy(folder / "images/scene 0.png", folder / "images/scene 0.webp")
    with pytest.raises(DatasetError, match="differ only in their ending"):
        from_folder(folder)


def test_the_error_is_of_the_family():
    assert issubclass(DatasetError, tam.TAMError)
    assert issubclass(DatasetError, ValueError)


def test_a_damaged_picture_of_a_row_is_a_picture_error():
    (sample,) = from_rows([{"image": {"bytes": b"\x89PNG\r\n\x1a\nand no more", "path": None}}])
    with pytest.raises(tam.PictureError, match="not a picture"):
        _ = sample.image
