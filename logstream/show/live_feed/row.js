// One row: its cells, and what they show of a line.

const LATE_MS = 60_000;
const MESSAGE_CHARACTERS = 40_000; // of an unfolded row; the drawer shows all

// One shape a severity, so that colour never stands alone (12 × 12 viewBox).
const SEVERITY_SHAPES = {
  trace: "M3 5.2h6v1.6H3z",
  debug: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0 1.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z",
  info: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
  warn: "M6 1 11.4 10.6H.6Z",
  error: "M3.7 1h4.6L11 3.7v4.6L8.3 11H3.7L1 8.3V3.7ZM4.6 3.6l-1 1L5 6 3.6 7.4l1 1L6 7l1.4 1.4 1-1L7 6l1.4-1.4-1-1L6 5Z",
  fatal: "M6 0 12 6 6 12 0 6ZM5.3 2.8v4h1.4v-4Zm0 4.9v1.4h1.4V7.7Z",
};

function severityIcon() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

function drawSeverity(icon, severity) {
  icon.firstChild.setAttribute("d", SEVERITY_SHAPES[severity] ?? SEVERITY_SHAPES.info);
}

const quietly = (text) => ({ text });

// Texts of the columns that are nothing but text.
const CELL_TEXTS = {
  environment: (line) => line.environment,
  service: (line) => line.source,
  latency: ({ latency }) => (latency === null || latency === undefined ? "" : `${latency.toLocaleString("en-US")} ms`),
};

function attributeText(line, key) {
  // Quiet text stands in for a value.
  const value = attributeAt(line.metadata, key);
  if (value !== undefined) return value === null ? quietly("null") : briefly(value);
  return line.metadataBytes === undefined ? "" : quietly("…");
}

function buildRow(columns) {
  const el = element("div", "row");
  el.dataset.testid = "feed-row";
  let firsts = 0;
  el.cells = columns.map(({ name }) => {
    const isSpare = name !== "message" && ++firsts > NARROW_CELLS;
    const cell = element("span", `cell ${isAttribute(name) ? "attribute" : name}${isSpare ? " spare" : ""}`);
    if (name === "severity") {
      cell.icon = severityIcon();
      cell.word = element("span");
      cell.append(cell.icon, cell.word);
    } else if (name === "message") {
      cell.text = element("bdi", "text");
      cell.text.dir = "ltr";
      cell.chip = element("button", "chip");
      cell.chip.type = "button";
      cell.append(cell.text, cell.chip);
    }
    cell.column = name;
    return cell;
  });
  el.append(...el.cells);
  return el;
}

// `drawnCharacters`: more of a message than a row can show.
function fillRow(el, row, feed, drawnCharacters) {
  el.row = row;
  el.dataset.id = row.line.id;
  el.dataset.severity = row.line.severity;
  for (const cell of el.cells) fillCell(cell, row, feed, drawnCharacters);
}

function fillCell(cell, row, feed, drawnCharacters) {
  const { line } = row;
  const { column } = cell;
  if (column === "message") {
    fillMessage(cell, row, feed, drawnCharacters);
  } else if (column === "severity") {
    drawSeverity(cell.icon, line.severity);
    cell.word.textContent = line.severity;
  } else if (column === "time" || column === "received") {
    fillTime(cell, row, feed);
    cell.title = "";
  } else if (column === "trace") {
    cell.replaceChildren(...(line.traceId ? [traceLink("trace-link", line.traceId, feed, line)] : []));
    cell.title = line.traceId ? `${line.traceId}\nOpen this trace` : "";
  } else {
    const found = isAttribute(column) ? attributeText(line, column.slice(1)) : CELL_TEXTS[column](line);
    const text = typeof found === "string" ? found : found.text;
    cell.textContent = text;
    cell.title = text === "…" ? "Too long for the feed; open the line to see it" : text;
    cell.classList.toggle("void", text !== found);
    if (column === "service") cell.style.color = feed.serviceColour(line.source);
  }
}

function fillTime(cell, { line, ms }, feed) {
  const received = readTime(line.observedAt).ms;
  const isTime = cell.column === "time";
  setText(cell, feed.head.timeText(isTime ? ms : received, isTime ? line.createdAt : line.observedAt));
  cell.classList.toggle("late", isTime && Math.abs(received - ms) > LATE_MS);
}

function fillMessage(cell, row, feed, drawnCharacters) {
  const { line } = row;
  const whole = cleanText(line.message.slice(0, MESSAGE_CHARACTERS));
  const { text, hidden } = foldText(whole, !feed.wrap ? 1 : row.unfolded ? Infinity : FOLDED_LINES);
  const isCut = !row.unfolded && text.length > drawnCharacters;
  const drawn = isCut ? `${text.slice(0, drawnCharacters)}…` : text;
  cell.text.replaceChildren(markedNodes(drawn || "(empty message)", feed.filter.text.marks));
  cell.text.classList.toggle("void", !drawn);
  const canFold = feed.wrap && row.unfolded;
  cell.chip.hidden = !hidden && !canFold && !(feed.wrap && isCut);
  cell.chip.textContent = canFold
    ? "fold"
    : hidden
      ? `+${plural(hidden, "line")}`
      : line.messageBytes !== undefined
        ? `${plural(line.messageBytes, "byte")} in all`
        : `+${plural(text.length - drawnCharacters, "character")}`;
  cell.chip.title = canFold ? "Show the beginning only" : "Show the whole message";
}
