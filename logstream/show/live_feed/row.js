// One row: its elements, and what they show of a line.

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

function buildRow() {
  const el = element("div", "row");
  el.dataset.testid = "feed-row";
  const severity = element("span", "severity");
  const icon = severityIcon();
  const word = element("span");
  severity.append(icon, word);
  const parts = {
    time: element("span", "time"),
    severity,
    icon,
    word,
    environment: element("span", "environment"),
    service: element("span", "service"),
    message: element("span", "message"),
    text: element("bdi", "text"),
    chip: element("button", "chip"),
  };
  parts.chip.type = "button";
  parts.text.dir = "ltr";
  parts.message.append(parts.text, parts.chip);
  el.append(parts.time, severity, parts.environment, parts.service, parts.message);
  el.parts = parts;
  return el;
}

// `drawnCharacters`: more of a message than a row can show.
function fillRow(el, row, feed, drawnCharacters) {
  const { line } = row;
  const { parts } = el;
  el.row = row;
  el.dataset.id = line.id;
  el.dataset.severity = line.severity;
  const time = feed.clock.time(row.ms);
  parts.time.textContent = feed.isDated ? `${feed.clock.date(row.ms).slice(5)} ${time}` : time;
  parts.time.classList.toggle("late", Math.abs(readTime(line.observedAt).ms - row.ms) > LATE_MS);
  parts.time.title = "";
  drawSeverity(parts.icon, line.severity);
  parts.word.textContent = line.severity;
  parts.environment.textContent = line.environment;
  parts.service.textContent = line.source;
  parts.service.title = line.source;
  parts.service.style.color = feed.serviceColour(line.source);
  const whole = cleanText(line.message.slice(0, MESSAGE_CHARACTERS));
  const { text, hidden } = foldText(whole, !feed.wrap ? 1 : row.unfolded ? Infinity : FOLDED_LINES);
  const isCut = !row.unfolded && text.length > drawnCharacters;
  const drawn = isCut ? `${text.slice(0, drawnCharacters)}…` : text;
  parts.text.replaceChildren(markedNodes(drawn || "(empty message)", feed.filter.text.include));
  parts.text.classList.toggle("void", !drawn);
  const canFold = feed.wrap && row.unfolded;
  parts.chip.hidden = !hidden && !canFold && !(feed.wrap && isCut);
  parts.chip.textContent = canFold
    ? "fold"
    : hidden
      ? `+${plural(hidden, "line")}`
      : line.messageBytes !== undefined
        ? `${plural(line.messageBytes, "byte")} in all`
        : `+${plural(text.length - drawnCharacters, "character")}`;
  parts.chip.title = canFold ? "Show the beginning only" : "Show the whole message";
}
