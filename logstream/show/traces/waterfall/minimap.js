// The whole trace in a strip, one thin line a span, in the order of the rows. Dragging over it
// zooms; a double click shows everything again.

const MINIMAP_HEIGHT = 44;
const LEAST_DRAG = 4; // pixels; less is a click

class Minimap {
  constructor(root, waterfall) {
    this.root = root;
    this.waterfall = waterfall;
    this.svg = root.appendChild(svgElement("svg", { viewBox: `0 0 1000 ${MINIMAP_HEIGHT}`, preserveAspectRatio: "none" }));
    this.shade = root.appendChild(element("div", "window"));
    zoomByDragging(root, waterfall, () => [waterfall.trace.from, waterfall.trace.to]);
  }

  draw() {
    const { trace, rows } = this.waterfall;
    const nodes = rows.rows.filter((row) => row.kind === "span").map((row) => row.node);
    const at = scaleOf({ from: trace.from, to: trace.to });
    const paths = new Map(); // colour → path; errors on top
    const taken = new Set(); // of more spans than pixels most lie on others
    const step = Math.min(4, MINIMAP_HEIGHT / Math.max(1, nodes.length));
    nodes.forEach((node, place) => {
      const x = 10 * at(node.start);
      const width = Math.max(2, 10 * (at(node.end) - at(node.start)));
      const y = (place + 0.5) * step;
      const key = `${Math.round(x)} ${Math.round(width)} ${Math.round(y * 2)} ${node.isError}`;
      if (taken.has(key)) return;
      taken.add(key);
      const colour = node.isError ? "var(--severity-error)" : this.waterfall.colourOf(node.service);
      paths.set(colour, `${paths.get(colour) ?? ""}M${x.toFixed(1)} ${y.toFixed(2)}h${width.toFixed(1)}`);
    });
    const errors = paths.get("var(--severity-error)");
    if (errors) {
      paths.delete("var(--severity-error)");
      paths.set("var(--severity-error)", errors);
    }
    this.svg.replaceChildren(
      ...[...paths].map(([colour, d]) => {
        const path = svgElement("path", { d, "stroke-width": Math.max(1, Math.min(3, step * 0.8)) });
        path.style.stroke = colour;
        return path;
      }),
    );
    this.drawWindow();
  }

  drawWindow() {
    const { trace, view, isZoomed } = this.waterfall;
    const at = scaleOf({ from: trace.from, to: trace.to });
    this.shade.hidden = !isZoomed;
    this.shade.style.left = `${at(view.from)}%`;
    this.shade.style.width = `${at(view.to) - at(view.from)}%`;
  }
}

// Dragging over `target` chooses a part of the time that `rangeOf()` gives; a double click gives
// everything back.
function zoomByDragging(target, waterfall, rangeOf) {
  const brush = target.appendChild(element("div", "brush"));
  brush.hidden = true;
  let begun = null;
  const xOf = (event) => {
    const { left, width } = target.getBoundingClientRect();
    return { x: event.clientX - left, share: Math.min(1, Math.max(0, (event.clientX - left) / width)) };
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    target.setPointerCapture(event.pointerId);
    begun = xOf(event);
  });
  target.addEventListener("pointermove", (event) => {
    if (!begun) return;
    const now = xOf(event);
    brush.hidden = Math.abs(now.x - begun.x) < LEAST_DRAG;
    brush.style.left = `${Math.min(begun.share, now.share) * 100}%`;
    brush.style.width = `${Math.abs(now.share - begun.share) * 100}%`;
  });
  target.addEventListener("pointerup", (event) => {
    if (!begun) return;
    const now = xOf(event);
    const [from, to] = rangeOf();
    const place = (share) => from + share * (to - from);
    if (Math.abs(now.x - begun.x) >= LEAST_DRAG) {
      waterfall.zoomTo(place(Math.min(begun.share, now.share)), place(Math.max(begun.share, now.share)));
    }
    begun = null;
    brush.hidden = true;
  });
  target.addEventListener("pointercancel", () => {
    begun = null;
    brush.hidden = true;
  });
  target.addEventListener("dblclick", () => waterfall.zoomOut());
}

function svgElement(tag, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
