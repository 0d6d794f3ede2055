// One bar on its lane: where the time went, what was critical, and what was told on the way.

const MOST_PARTS = 40; // of one bar: pieces of self time, ticks

// Places in percent of the lane; `view` is {from, to}.
function scaleOf({ from, to }) {
  const width = Math.max(1, to - from);
  return (at) => ((at - from) / width) * 100;
}

function drawLane(lane, row, waterfall) {
  const { node, kind } = row;
  const at = scaleOf(waterfall.view);
  lane.replaceChildren();
  if (kind === "line" || kind === "exception") return drawMoment(lane, row, at, waterfall);
  const [left, right] = [at(node.start), at(node.end)];
  if (right < 0 || left > 100) {
    lane.append(element("span", `beyond ${right < 0 ? "before" : "behind"}`, right < 0 ? "◂" : "▸"));
    return;
  }
  const bar = lane.appendChild(element("div", `bar ${kind}`));
  const [begin, end] = [Math.max(-1, left), Math.min(101, right)];
  bar.style.left = `${begin}%`;
  bar.style.width = `max(2px, ${end - begin}%)`;
  if (kind === "span") {
    bar.style.setProperty("--service", waterfall.colourOf(node.service));
    bar.classList.toggle("derived", node.isDerived);
    bar.classList.toggle("wrong", node.isError);
    drawSelfTime(bar, node, waterfall.view);
    if (waterfall.isCriticalShown) drawCritical(lane, node, at);
  }
  // Lines without a latency tell a moment, not how long it lasted.
  const words = kind === "span" && (node.duration || !node.isDerived) ? durationWords(node.duration) : "";
  const label = lane.appendChild(element("span", "length", words));
  // Beside the bar where there is room, else before it, else on it.
  if (end < 86) label.style.left = `calc(max(${end}%, ${begin}% + 2px) + 5px)`;
  else if (begin > 14) label.style.right = `calc(${100 - begin}% + 5px)`;
  else {
    label.style.right = `${Math.max(0, 100 - end)}%`;
    label.classList.add("inside");
  }
  drawTicks(lane, row, at, waterfall);
}

// The time in which children ran is paler: what is full is the span's own.
function drawSelfTime(bar, node, view) {
  const from = Math.max(node.start, view.from);
  const to = Math.min(node.end, view.to);
  if (!node.children.length || to <= from) return;
  const stops = [];
  let reached = from;
  for (const child of node.children) {
    const first = Math.max(child.start, reached);
    const last = Math.min(child.end, to);
    if (last <= first) continue;
    if (stops.length >= MOST_PARTS) return; // too fine to be seen
    stops.push([first, last]);
    reached = last;
  }
  if (!stops.length) return;
  const share = (moment) => `${(((moment - from) / (to - from)) * 100).toFixed(2)}%`;
  const parts = stops.flatMap(([first, last]) => [`var(--full) ${share(first)}`, `var(--pale) ${share(first)}`, `var(--pale) ${share(last)}`, `var(--full) ${share(last)}`]);
  bar.style.setProperty("--parts", `linear-gradient(90deg, var(--full) 0, ${parts.join(", ")}, var(--full) 100%)`);
  bar.classList.add("parted");
}

function drawCritical(lane, node, at) {
  for (const [from, to] of node.critical.slice(0, MOST_PARTS)) {
    const part = lane.appendChild(element("div", "critical"));
    const [left, right] = [Math.max(0, at(node.start + from)), Math.min(100, at(node.start + to))];
    if (right < left) {
      part.remove();
      continue;
    }
    part.style.left = `${left}%`;
    part.style.width = `max(2px, ${right - left}%)`;
  }
}

function drawTicks(lane, { node, isFolded }, at, { rows, view }) {
  const shift = node.start - node.sent;
  const isIn = (one) => one.at + (node.shift === undefined ? 0 : shift) >= view.from && one.at <= view.to;
  const put = (one, className, severity) => {
    const tick = lane.appendChild(element("i", className));
    tick.style.left = `${at(one.at + (node.shift === undefined ? 0 : shift))}%`;
    if (severity) tick.style.setProperty("--colour", `var(--severity-${severity})`);
  };
  if (rows.withLines) for (const one of node.lines.filter(isIn).slice(0, MOST_PARTS)) put(one, "tick", one.line.severity);
  if (rows.withExceptions) for (const one of node.exceptions.filter(isIn).slice(0, MOST_PARTS)) put(one, "tick exception", "error");
}

// A line or an exception is a moment: a mark, and how long after the trace's begin it was.
function drawMoment(lane, { item, node, kind }, at, { view, trace }) {
  const moment = item.at + (trace.isCorrected ? node.shift ?? 0 : 0);
  if (moment < view.from || moment > view.to) return;
  const place = at(moment);
  const mark = lane.appendChild(element("i", kind === "exception" ? "tick exception" : "tick"));
  mark.style.left = `${place}%`;
  mark.style.setProperty("--colour", `var(--severity-${kind === "exception" ? "error" : item.line.severity})`);
  const label = lane.appendChild(element("span", "length", `+${durationWords(moment - trace.from)}`));
  if (place < 86) label.style.left = `calc(${place}% + 7px)`;
  else label.style.right = `calc(${100 - place}% + 7px)`;
}
