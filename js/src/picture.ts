/** One picture, or one frame of a video, and the overlay on it. */
import { element } from "./dom.ts";
import type { Picture } from "./protocol.ts";
import { rasterGrid, rasterSmooth } from "./raster.ts";
import { bytes } from "./tokenmap.ts";

export type OverlayState = "empty" | "loading" | "ready" | "busy" | "error";

/** As in styles.css. */
export const FADE = 80;
/** No sharper than this (pixels): a map is a small grid, and its pixels are set one by one. */
const SHARPEST = 1024;
/** A box that leaves no more than this share of the picture's side covers it. */
const SLIVER = 0.002;

export class PictureView {
  readonly node: HTMLElement;
  readonly cellCount: number;
  readonly #canvas: HTMLCanvasElement;
  readonly #picture: Picture;
  #fading: ReturnType<typeof setTimeout> | undefined;

  constructor(picture: Picture, label: string, signal: AbortSignal) {
    this.#picture = picture;
    this.cellCount = picture.grid[0] * picture.grid[1];
    const address = URL.createObjectURL(new Blob([bytes(picture.data) as BlobPart], { type: picture.mime }));
    const image = element("img", "tam-image", {
      src: address,
      alt: label,
      width: picture.width,
      height: picture.height,
      draggable: "false",
    });
    this.#canvas = element("canvas", "tam-heatmap", {
      "data-image": picture.image,
      "data-frame": picture.frame ?? false,
      "data-token": "",
      "data-state": "empty",
      "aria-hidden": "true",
    });
    const [left, top, width, height] = picture.box;
    Object.assign(this.#canvas.style, {
      left: percent(left),
      top: percent(top),
      width: percent(width),
      height: percent(height),
    });
    const isWhole = Math.max(left, top, 1 - left - width, 1 - top - height) < SLIVER;
    this.#canvas.classList.toggle("tam-part", !isWhole);
    this.node = element("div", "tam-picture", {}, image, this.#canvas);
    this.node.style.setProperty("--tam-ratio", String(picture.width / picture.height));
    signal.addEventListener("abort", () => {
      clearTimeout(this.#fading);
      URL.revokeObjectURL(address);
    });
  }

  set state(state: OverlayState) {
    this.#canvas.dataset.state = state;
  }

  paint(token: number, cells: Uint8Array, table: Uint32Array, smooth: boolean): void {
    const canvas = this.#canvas;
    const context = canvas.getContext("2d");
    if (!context) return;
    clearTimeout(this.#fading);
    const [width, height] = this.#resolution();
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const image = context.createImageData(width, height);
    const [rows, columns] = this.#picture.grid;
    const raster = smooth ? rasterSmooth : rasterGrid;
    raster({ rows, columns, cells }, width, height, table, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    canvas.dataset.token = String(token);
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

  #resolution(): [number, number] {
    const shown = this.#canvas.getBoundingClientRect();
    const [, , across, down] = this.#picture.box;
    const width = shown.width > 0 ? shown.width * devicePixelRatio : this.#picture.width * across;
    const height = shown.height > 0 ? shown.height * devicePixelRatio : this.#picture.height * down;
    const scale = Math.min(1, SHARPEST / Math.max(width, height));
    return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  }
}

function percent(share: number): string {
  return `${share * 100}%`;
}
