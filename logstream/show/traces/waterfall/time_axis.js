// The head of the timeline: what the columns are, when things were, and how wide the names are.

const LABEL_WIDTH = 92; // pixels a label takes at least
const NAMES_WIDTH = "waterfall-names"; // the reader's choice, kept in the browser

class TimeAxis {
  constructor(root, waterfall) {
    this.root = root;
    this.waterfall = waterfall;
    this.names = root.appendChild(element("div", "names"));
    this.names.append(element("span", "", "Service and operation"));
    this.grip = root.appendChild(element("div", "grip"));
    this.grip.title = "Drag to make the names wider or narrower";
    this.scale = root.appendChild(element("div", "scale"));
    this.labels = this.scale.appendChild(element("div", "labels"));
    zoomByDragging(this.scale, waterfall, () => [waterfall.view.from, waterfall.view.to]);
    this.scale.title = "Drag to zoom, double click for everything";
    this.resizeByDragging();
  }

  // Labels here, and lines through all rows at the same places.
  draw() {
    const { view, trace, box } = this.waterfall;
    const width = this.scale.clientWidth;
    const steps = axisSteps(view.from - trace.from, view.to - trace.from, Math.floor(width / LABEL_WIDTH));
    const at = scaleOf({ from: view.from - trace.from, to: view.to - trace.from });
    this.labels.replaceChildren(
      ...steps.map((moment) => {
        const place = at(moment);
        const label = element("span", "at", moment ? durationWords(moment) : "0");
        label.style.left = `${place}%`;
        label.classList.toggle("last", place > 100 - (100 * 60) / Math.max(1, width));
        return label;
      }),
    );
    const gap = steps.length > 1 ? at(steps[1]) - at(steps[0]) : 100;
    const lane = this.scale.clientWidth;
    box.style.setProperty("--grid-from", `${((steps.length ? at(steps[0]) : 0) / 100) * lane}px`);
    box.style.setProperty("--grid-gap", `${Math.max(8, (gap / 100) * lane)}px`);
  }

  resizeByDragging() {
    const { box } = this.waterfall;
    const kept = Number(readWidth());
    if (kept >= 120) box.style.setProperty("--names", `${kept}px`);
    let isHeld = false;
    this.grip.addEventListener("pointerdown", (event) => {
      isHeld = true;
      this.grip.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    this.grip.addEventListener("pointermove", (event) => {
      if (!isHeld) return;
      const left = this.root.getBoundingClientRect().left;
      const width = Math.round(Math.min(this.root.clientWidth - 160, Math.max(120, event.clientX - left)));
      box.style.setProperty("--names", `${width}px`);
      keepWidth(width);
      this.draw();
    });
    this.grip.addEventListener("pointerup", () => (isHeld = false));
    this.grip.addEventListener("dblclick", () => {
      box.style.removeProperty("--names");
      keepWidth("");
      this.draw();
    });
  }
}

// Storage can be forbidden; a width is not worth an error.
function readWidth() {
  try {
    return localStorage.getItem(NAMES_WIDTH);
  } catch {
    return null;
  }
}

function keepWidth(width) {
  try {
    localStorage.setItem(NAMES_WIDTH, width);
  } catch {
    // it then lasts as long as the page
  }
}
