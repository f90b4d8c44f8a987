"""Is the map right? Measures of a map against the mask of what its word speaks of."""

from tam_widget.evaluation.metrics import f1_iou, function_iou, object_iou, otsu_threshold, points_inside, to_mask_size

__all__ = ["f1_iou", "function_iou", "object_iou", "otsu_threshold", "points_inside", "to_mask_size"]
