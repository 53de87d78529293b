/** A canvas at the device's own resolution, redrawn when its size, the theme or the screen changes. */

/** Calls back when the element's width, the theme or the resolution may have changed. Returns how to stop. */
export function watchLook(element: HTMLElement, changed: () => void): () => void {
  const sizes = new ResizeObserver(changed);
  sizes.observe(element);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", changed);
  const attributes = new MutationObserver(changed);
  attributes.observe(document.documentElement, { attributes: true });
  // Told once: the query names the resolution that was.
  let resolution: MediaQueryList | null = null;
  const watchResolution = () => {
    resolution?.removeEventListener("change", onResolution);
    resolution = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    resolution.addEventListener("change", onResolution);
  };
  const onResolution = () => {
    watchResolution();
    changed();
  };
  watchResolution();
  return () => {
    sizes.disconnect();
    attributes.disconnect();
    scheme.removeEventListener("change", changed);
    resolution?.removeEventListener("change", onResolution);
  };
}

/** Gives the canvas as many pixels as it takes on the screen; they are cleared only if their number changed. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): number {
  const ratio = window.devicePixelRatio;
  const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
    canvas.style.height = `${height}px`;
  }
  return ratio;
}
