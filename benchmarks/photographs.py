"""What a demo model says of real photographs, and where its maps point when it is told what there is.

Prints a Markdown table: ``python benchmarks/photographs.py --model things``. A photograph is shown as the square in its
middle, which is what LLaVA's processor would leave of it. Maps are of the thing's name in the right caption, whatever
the model itself would have said: whether they have their maximum on the thing, and their Obj-IoU.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import tam_widget as tam
from demo_model_figures.opening import open_model
from demo_model_figures.tables import table
from scored_words.judged import BOUND, VARIANTS, AnswerMaps, fit
from scored_words.targets import plain
from tam_widget.demo.photographs import PHOTOS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from scored_words.model import Model
    from tam_widget.demo.photographs import Photo


def main() -> None:
    """Ask, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="things", help="a demo model's name, or the folder of one")
    model = open_model(parser.parse_args().model)
    body = [
        [shown.name, thing, said(model, shown), *scores(model, shown, thing)]
        for shown in map(tam.demo.photo, PHOTOS)
        for thing in shown.masks
    ]
    print(table(["photograph", "thing", "said", *VARIANTS, BOUND], body))


def said(model: Model, shown: Photo) -> str:
    """Return what a model says of a photograph."""
    return tam.explain(model.model, model.processor, middle(shown.image), shown.prompt).answer


def scores(model: Model, shown: Photo, thing: str) -> list[str]:
    """Return pointing and Obj-IoU of each method's map of a thing's name, and of the best map of this grid."""
    ex = tam.explain(model.model, model.processor, middle(shown.image), shown.prompt, answer=shown.caption)
    maps = AnswerMaps(ex)
    (word,) = [place for place, text in enumerate(maps.words) if plain(text) == thing]
    mask = middle_of_mask(shown.mask(thing))[None]
    found = [fit(one, mask) for one in maps.of_target(word, mask).values()]
    return [f"{one['points']} / {one['iou']:.2f}" for one in found]


def middle(image: Image.Image) -> Image.Image:
    """Cut the square from the middle of a picture."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def middle_of_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cut the same square from a mask."""
    height, width = mask.shape
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return mask[top : top + side, left : left + side]


if __name__ == "__main__":
    main()
