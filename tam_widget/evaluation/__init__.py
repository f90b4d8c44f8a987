"""Is the map right? Measures of a map against the mask of what its word speaks of, and the data to measure on."""

from tam_widget.evaluation.data.datasets import (
    COCO_CATEGORIES,
    Dataset,
    Sample,
    coco_captions,
    demo_scenes,
    from_folder,
    from_rows,
    grandf,
    open_dataset,
    openpsg,
)
from tam_widget.evaluation.faithfulness.deletion import Faithfulness, measure_faithfulness
from tam_widget.evaluation.faithfulness.regions import Region, Regions, cells_of, measure_regions
from tam_widget.evaluation.methods import (
    MethodError,
    method_maps,
    method_names,
    on_grid,
    register_method,
    scale_each,
)
from tam_widget.evaluation.plausibility.captions import CaptionScores, score_caption
from tam_widget.evaluation.plausibility.matching import Matching, Naming, find_names
from tam_widget.evaluation.plausibility.metrics import (
    energy_inside,
    f1_iou,
    function_iou,
    object_iou,
    pixel_precision,
    pixel_recall,
    points_inside,
    to_levels,
    to_mask_size,
)
from tam_widget.evaluation.plausibility.parts_of_speech import Kind, Tagger, WordTagger, open_tagger
from tam_widget.evaluation.plausibility.scoring import SampleScores, WordRow, score
from tam_widget.evaluation.plausibility.summary import Summary, aggregate
from tam_widget.evaluation.runs.ray_runner import evaluate_on_ray
from tam_widget.evaluation.runs.run import Run, open_run
from tam_widget.evaluation.runs.runner import evaluate
from tam_widget.maps.otsu import otsu_threshold
from tam_widget.replay.covering import Covering
from tam_widget.replay.explained import Explained

__all__ = [
    "COCO_CATEGORIES",
    "CaptionScores",
    "Covering",
    "Dataset",
    "Explained",
    "Faithfulness",
    "Kind",
    "Matching",
    "MethodError",
    "Naming",
    "Region",
    "Regions",
    "Run",
    "Sample",
    "SampleScores",
    "Summary",
    "Tagger",
    "WordRow",
    "WordTagger",
    "aggregate",
    "cells_of",
    "coco_captions",
    "demo_scenes",
    "energy_inside",
    "evaluate",
    "evaluate_on_ray",
    "f1_iou",
    "find_names",
    "from_folder",
    "from_rows",
    "function_iou",
    "grandf",
    "measure_faithfulness",
    "measure_regions",
    "method_maps",
    "method_names",
    "object_iou",
    "on_grid",
    "open_dataset",
    "open_run",
    "open_tagger",
    "openpsg",
    "otsu_threshold",
    "pixel_precision",
    "pixel_recall",
    "points_inside",
    "register_method",
    "scale_each",
    "score",
    "score_caption",
    "to_levels",
    "to_mask_size",
]
