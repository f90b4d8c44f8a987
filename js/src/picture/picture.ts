/** One picture, or one frame of a video, and the overlay on it; or the plain picture and the map beside it. */
import type { Picture } from "../kernel/protocol.ts";
import { bytes } from "../kernel/tokenmap.ts";
import { outline, stroke } from "../overlay/contour.ts";
import { known, rasterGrid, rasterSmooth } from "../overlay/raster.ts";
import type { Field } from "../overlay/surface.ts";
import { element } from "../page/dom.ts";
import type { Box } from "./place.ts";

export type OverlayState = "empty" | "loading" | "ready" | "busy" | "error";

/** How cells become pixels. */
export interface Style {
  table: Uint32Array;
  smooth: boolean;
  /** Draw a line around levels above it; null for none. */
  contour: number | null;
  /** Levels count from the middle: the line is drawn around what is as far below. */
  diverging: boolean;
}

/** As in picture.css. */
export const FADE = 80;
/** No sharper than this (pixels): a map is a small grid, and its pixels are set one by one. */
const SHARPEST = 1024;
/** A box that leaves no more than this share of the picture's side covers it. */
const SLIVER = 0.002;

export class PictureView {
  readonly node: HTMLElement;
  readonly picture: Picture;
  readonly cellCount: number;
  readonly #canvas: HTMLCanvasElement;
  readonly #address: string;
  readonly #pane: HTMLElement;
  #plain: HTMLElement | undefined;
  #fading: ReturnType<typeof setTimeout> | undefined;

  constructor(picture: Picture, label: string, signal: AbortSignal) {
    this.picture = picture;
    this.cellCount = picture.grid[0] * picture.grid[1];
    this.#address = URL.createObjectURL(new Blob([bytes(picture.data) as BlobPart], { type: picture.mime }));
    this.#canvas = element("canvas", "tam-heatmap", {
      "data-image": picture.image,
      "data-frame": picture.frame ?? false,
      "data-token": "",
      "data-state": "empty",
      "aria-hidden": "true",
    });
    const [left, top, width, height] = picture.box;
    lay(this.#canvas, left, top, width, height);
    const isWhole = Math.max(left, top, 1 - left - width, 1 - top - height) < SLIVER;
    this.#canvas.classList.toggle("tam-part", !isWhole);
    this.#pane = element("div", "tam-pane", {}, this.#image(label), this.#canvas);
    // An application, for a screen reader must hand the arrow keys over: they lead from cell to cell.
    this.node = element(
      "div",
      "tam-picture",
      { role: "application", tabindex: 0, "aria-label": `${label}: choose cells with the arrow keys` },
      this.#pane,
    );
    this.node.style.setProperty("--tam-ratio", String(picture.width / picture.height));
    signal.addEventListener("abort", () => {
      clearTimeout(this.#fading);
      URL.revokeObjectURL(this.#address);
    });
  }

  set state(state: OverlayState) {
    this.#canvas.dataset.state = state;
  }

  /** The map beside the picture, not over it. */
  set beside(beside: boolean) {
    this.node.classList.toggle("tam-beside", beside);
    if (beside) {
      this.#plain ??= element("div", "tam-pane", {}, this.#image(""));
      this.node.prepend(this.#plain);
    } else {
      this.#plain?.remove();
    }
  }

  /** Draw a frame around a part of the picture, wherever it is shown; take it away with null. */
  mark(kind: "asked" | "drawn" | "cursor", box: Box | null): void {
    for (const pane of [this.#pane, this.#plain]) {
      const frame = pane?.querySelector<HTMLElement>(`.tam-${kind}`);
      if (!box) frame?.remove();
      else if (pane) {
        const shown =
          frame ?? pane.appendChild(element("div", `tam-mark tam-${kind}`, { "aria-hidden": "true" }));
        lay(shown, box[0], box[1], box[2] - box[0], box[3] - box[1]);
      }
    }
  }

  paint(tokens: string, cells: Uint8Array, style: Style): void {
    const canvas = this.#canvas;
    const context = canvas.getContext("2d");
    if (!context) return;
    clearTimeout(this.#fading);
    const [width, height] = this.#resolution();
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const image = context.createImageData(width, height);
    const [rows, columns] = this.picture.grid;
    const raster = style.smooth ? rasterSmooth : rasterGrid;
    raster({ rows, columns, cells }, width, height, style.table, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    if (style.contour !== null) this.#trace(context, cells, style, style.contour);
    canvas.dataset.token = tokens;
    canvas.dataset.state = "ready";
  }

  /** Take the overlay away: it fades, then its pixels go. */
  clear(): void {
    const canvas = this.#canvas;
    if (canvas.dataset.token === "") return;
    canvas.dataset.token = "";
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => {
      canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    }, FADE);
  }

  #trace(context: CanvasRenderingContext2D, cells: Uint8Array, style: Style, threshold: number): void {
    const [rows, columns] = this.picture.grid;
    const unit = context.canvas.width / (this.#canvas.clientWidth || context.canvas.width);
    for (const sign of style.diverging ? [1, -1] : [1]) {
      const values = known(cells).map((level) => level * sign);
      const field: Field = { rows, columns, values };
      // Of a difference the middle is nothing: as far above it as below.
      const above = style.diverging ? threshold + sign * 127 : threshold;
      stroke(context, outline(field, above, style.smooth), field, unit);
    }
  }

  #image(alt: string): HTMLImageElement {
    const { width, height } = this.picture;
    return element("img", "tam-image", { src: this.#address, alt, width, height, draggable: "false" });
  }

  #resolution(): [number, number] {
    const shown = this.#canvas.getBoundingClientRect();
    const [, , across, down] = this.picture.box;
    const width = shown.width > 0 ? shown.width * devicePixelRatio : this.picture.width * across;
    const height = shown.height > 0 ? shown.height * devicePixelRatio : this.picture.height * down;
    const scale = Math.min(1, SHARPEST / Math.max(width, height));
    return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  }
}

/** Place an element over a part of its parent. */
function lay(node: HTMLElement, left: number, top: number, width: number, height: number): void {
  const percent = (share: number) => `${share * 100}%`;
  Object.assign(node.style, {
    left: percent(left),
    top: percent(top),
    width: percent(width),
    height: percent(height),
  });
}
