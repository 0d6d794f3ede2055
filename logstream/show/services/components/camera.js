// Which part of the map is seen: moved by dragging, by wheel with Ctrl, two fingers, or buttons.

const LEAST_ZOOM = 0.12;
const MOST_ZOOM = 3;
const FIT_ZOOM = 1.25; // five services need not fill a window
const DRAG_PIXELS = 4;

class Camera {
  // `state` is {x, y, zoom, isMoved}; `moved` is told after each change.
  constructor(svg, world, state, moved) {
    Object.assign(this, { svg, world, state, moved });
    this.pointers = new Map();
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) svg.addEventListener(type, (event) => this.release(event));
    // A click that ends a drag chooses nothing.
    svg.addEventListener("click", (event) => this.wasDragged && event.stopPropagation(), true);
  }

  apply() {
    const { x, y, zoom } = this.state;
    setAttributes(this.world, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${zoom.toFixed(4)})` });
    this.world.style.setProperty("--inverse", String(1 / zoom));
    this.moved(zoom);
  }

  // Bounds in the map's own units: {left, top, right, bottom}.
  fit({ left, top, right, bottom }) {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!width || !height) return;
    const zoom = Math.max(LEAST_ZOOM, Math.min(FIT_ZOOM, width / (right - left), height / (bottom - top)));
    Object.assign(this.state, {
      zoom,
      x: (width - (left + right) * zoom) / 2,
      y: (height - (top + bottom) * zoom) / 2,
      isMoved: false,
    });
    this.apply();
  }

  // A point is brought to the middle, large enough to be read.
  show({ x, y }) {
    const zoom = Math.max(0.7, this.state.zoom);
    Object.assign(this.state, { zoom, x: this.svg.clientWidth / 2 - x * zoom, y: this.svg.clientHeight / 2 - y * zoom, isMoved: true });
    this.apply();
  }

  isSeen({ x, y }) {
    const { state, svg } = this;
    const [left, top] = [x * state.zoom + state.x, y * state.zoom + state.y];
    return left > 20 && top > 20 && left < svg.clientWidth - 20 && top < svg.clientHeight - 20;
  }

  zoomBy(factor, at = { x: this.svg.clientWidth / 2, y: this.svg.clientHeight / 2 }) {
    const { state } = this;
    const zoom = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, state.zoom * factor));
    const scale = zoom / state.zoom;
    Object.assign(state, { zoom, x: at.x - (at.x - state.x) * scale, y: at.y - (at.y - state.y) * scale, isMoved: true });
    this.apply();
  }

  panBy(x, y) {
    this.state.x += x;
    this.state.y += y;
    this.state.isMoved = true;
    this.apply();
  }

  placeOf(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    // Wheels turn faster than a large map is drawn.
    this.turned = (this.turned ?? 0) + event.deltaY * (event.deltaMode ? 0.05 : 0.002);
    const at = this.placeOf(event);
    this.turning ??= requestAnimationFrame(() => {
      const turned = this.turned;
      this.turned = this.turning = undefined;
      this.zoomBy(Math.exp(-turned), at);
    });
  }

  press(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, this.placeOf(event));
    if (this.pointers.size === 1) {
      this.wasDragged = false;
      this.pressed = this.placeOf(event);
    }
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (!event.buttons) return this.release(event); // let go elsewhere
    const now = this.placeOf(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const length = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
      this.wasDragged = true;
      this.zoomBy(length(now) / length(before), other);
    } else {
      if (!this.wasDragged && Math.hypot(now.x - this.pressed.x, now.y - this.pressed.y) < DRAG_PIXELS) return;
      if (!this.wasDragged) this.svg.setPointerCapture(event.pointerId);
      this.wasDragged = true;
      this.panBy(now.x - before.x, now.y - before.y);
    }
    this.pointers.set(event.pointerId, now);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
  }
}
