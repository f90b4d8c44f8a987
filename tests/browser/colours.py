"""Colours as the browser computes them, and whether one can be read on another."""


def colour(node, name):
    """A computed colour as sRGB bytes and alpha, whatever notation the browser has for it."""
    return node.evaluate(
        """(node, name) => {
            const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
            canvas.fillStyle = getComputedStyle(node).getPropertyValue(name);
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        }""",
        name,
    )


def luminance(rgba):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (one / 255 for one in rgba[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def blended(rgba, ground):
    """Luminance of a translucent colour on a grey ground of a given luminance."""
    level = 255 * (1.055 * ground ** (1 / 2.4) - 0.055 if ground > 0.0031308 else 12.92 * ground)
    alpha = rgba[3] / 255
    return luminance([one * alpha + level * (1 - alpha) for one in rgba[:3]])


def contrast(one, other):
    light, dark = max(one, other), min(one, other)
    return (light + 0.05) / (dark + 0.05)
