/** The level that splits a picture best into two classes; `tam_widget.evaluation.otsu_threshold` finds the same. */

/**
 * Levels above it are the foreground: the first level that maximises the variance between the classes (Otsu, 1979). Of one
 * level only it is that level, so that nothing lies above.
 */
export function otsu(levels: ArrayLike<number>): number {
  const histogram = new Float64Array(256);
  let mass = 0;
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] as number;
    histogram[level] = (histogram[level] as number) + 1;
    mass += level;
  }
  const between = new Float64Array(256);
  let below = 0;
  let massBelow = 0;
  let last = 0;
  for (let level = 0; level < 256; level++) {
    const count = histogram[level] as number;
    if (count > 0) last = level;
    below += count;
    massBelow += count * level;
    const above = levels.length - below;
    if (below > 0 && above > 0) {
      between[level] = below * above * (massBelow / below - (mass - massBelow) / above) ** 2;
    }
  }
  const most = Math.max(...between);
  if (most === 0) return last;
  // Levels without pixels leave the same split: rounding must not choose among them.
  return between.findIndex((variance) => variance >= most * (1 - 1e-12));
}
