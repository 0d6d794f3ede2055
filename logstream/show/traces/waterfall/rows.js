// The rows in sight. Of ten thousand only those that can be seen exist; a row keeps its element
// while it stays in sight.

const ROW_HEIGHT = 22;
const SPARE_ROWS = 6;

class TraceRows {
  constructor(scroller, waterfall) {
    this.scroller = scroller;
    this.waterfall = waterfall;
    this.pad = scroller.querySelector(".pad");
    this.drawn = new Map(); // what a row stands for → its element
    scroller.addEventListener("scroll", () => waterfall.schedule(), { passive: true });
    scroller.addEventListener("click", (event) => this.clicked(event));
  }

  // Everything is drawn anew: another trace, zoom, theme or look.
  forget() {
    for (const el of this.drawn.values()) el.remove();
    this.drawn.clear();
  }

  paint() {
    const { rows } = this.waterfall.rows;
    const height = `${rows.length * ROW_HEIGHT}px`;
    if (this.pad.style.height !== height) this.pad.style.height = height;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const last = Math.min(rows.length, Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / ROW_HEIGHT) + SPARE_ROWS);
    const wanted = new Set();
    for (let place = first; place < last; place++) {
      const row = rows[place];
      const owner = row.item ?? row.node;
      wanted.add(owner);
      let el = this.drawn.get(owner);
      if (!el) {
        el = this.make(row);
        this.drawn.set(owner, el);
        this.pad.append(el);
      } else if (el.row !== row) this.fill(el, row);
      const top = `${place * ROW_HEIGHT}px`;
      if (el.style.top !== top) el.style.top = top;
      this.mark(el, owner, place);
    }
    for (const [owner, el] of this.drawn) {
      if (wanted.has(owner)) continue;
      el.remove();
      this.drawn.delete(owner);
    }
  }

  // What changes without the row's content: selection, search.
  mark(el, owner, place) {
    const { selected, search } = this.waterfall;
    const isSelected = owner === selected;
    el.classList.toggle("selected", isSelected);
    el.setAttribute("aria-selected", String(isSelected));
    el.id = `row-${place}`;
    if (isSelected) this.scroller.setAttribute("aria-activedescendant", el.id);
    const isFound = !search.isActive || search.means(el.row);
    el.classList.toggle("dim", !isFound);
    el.classList.toggle("current", search.isActive && owner === search.current);
  }

  make(row) {
    const el = element("div", "row");
    el.setAttribute("role", "treeitem");
    el.names = el.appendChild(element("div", "names"));
    el.lane = el.appendChild(element("div", "lane"));
    this.fill(el, row);
    return el;
  }

  fill(el, row) {
    const { waterfall } = this;
    el.row = row;
    el.dataset.kind = row.kind;
    el.setAttribute("aria-level", row.depth + 1);
    if (row.isFoldable) el.setAttribute("aria-expanded", String(!row.isFolded));
    else el.removeAttribute("aria-expanded");
    el.names.style.setProperty("--depth", Math.min(row.depth, waterfall.mostIndent));
    el.names.replaceChildren();
    const words = row.kind === "line" ? this.nameLine(el, row) : row.kind === "exception" ? this.nameException(el, row) : this.nameNode(el, row);
    el.title = words;
    el.setAttribute("aria-label", words.replaceAll("\n", ", ").slice(0, 400));
    drawLane(el.lane, row, waterfall);
  }

  nameNode(el, row) {
    const { node, kind } = row;
    const arrow = el.names.appendChild(element("span", "arrow", row.isFoldable ? (row.isFolded ? "▸" : "▾") : ""));
    arrow.setAttribute("aria-hidden", "true");
    const inside = row.isFolded ? below(node) : null;
    if (inside?.spans) el.names.append(element("span", "inside", `${thousands(inside.spans)}`));
    if (kind !== "span") {
      const words = kind === "unknown" ? `unknown parent ${node.id}` : "lines without a span";
      const text = el.names.appendChild(element("span", "operation nobody"));
      writeName(text, words);
      return kind === "unknown"
        ? `Unknown parent: no span with the id ${node.id} has arrived, ${plural(node.children.length, "span")} ${node.children.length === 1 ? "names" : "name"} it`
        : `${plural(node.lines.length, "line")} of this trace ${node.lines.length === 1 ? "belongs" : "belong"} to no span of it`;
    }
    if (node.isError) el.names.append(this.sign("⊗", "error", "error"));
    else if (inside?.errors) el.names.append(this.sign("⊗", "error below", `${plural(inside.errors, "error")} below`));
    if (node.warnings.length) el.names.append(this.sign("▲", "warn", node.warnings.join("\n")));
    const service = el.names.appendChild(element("span", "service"));
    service.style.setProperty("--service", this.waterfall.colourOf(node.service));
    writeName(service, node.service);
    const operation = el.names.appendChild(element("span", node.isDerived ? "operation derived" : "operation"));
    writeName(operation, node.name);
    return spanWords(node, this.waterfall.trace);
  }

  sign(shape, severity, words) {
    const made = element("span", `sign ${severity}`, shape);
    made.style.setProperty("--colour", `var(--severity-${severity.split(" ")[0]})`);
    made.title = words;
    return made;
  }

  nameLine(el, { item: { line } }) {
    el.names.append(this.sign(SHAPES[line.severity] ?? "●", line.severity, line.severity));
    const text = el.names.appendChild(element("span", "message"));
    writeName(text, line.message.slice(0, 400));
    return `${line.severity}, ${cleanText(line.source)}\n${cleanText(line.message.slice(0, 2000))}`;
  }

  nameException(el, { item }) {
    el.names.append(this.sign("◆", "error", "exception"));
    const text = el.names.appendChild(element("span", "message thrown"));
    const words = item.message ? `${item.type}: ${item.message}` : item.type;
    writeName(text, words.slice(0, 400));
    return `exception\n${cleanText(words.slice(0, 2000))}`;
  }

  clicked(event) {
    const el = event.target.closest(".row");
    if (!el) return;
    const { waterfall } = this;
    if (event.target.closest(".arrow, .inside") && el.row.isFoldable) waterfall.toggle(el.row.node);
    else waterfall.open(el.row.item ?? el.row.node);
  }

  // Scrolls as little as shows the row at `place`; to the middle when it was far away.
  show(place) {
    const { scrollTop, clientHeight } = this.scroller;
    const top = place * ROW_HEIGHT;
    if (top >= scrollTop && top + ROW_HEIGHT <= scrollTop + clientHeight) return;
    const isNear = top > scrollTop - 3 * ROW_HEIGHT && top < scrollTop + clientHeight + 3 * ROW_HEIGHT;
    if (!isNear) this.scroller.scrollTop = top - clientHeight / 3;
    else this.scroller.scrollTop = top < scrollTop ? top : top + ROW_HEIGHT - clientHeight;
  }
}

// Everything about a span that a hover can hold.
function spanWords(node, trace) {
  const words = [
    `${cleanText(node.service)} · ${cleanText(node.name)}`,
    `${node.kind}, ${node.isError ? "error" : node.status}${node.statusMessage ? `: ${cleanText(node.statusMessage.slice(0, 300))}` : ""}`,
    `${durationWords(node.duration)}, own time ${durationWords(node.self)}, starts at +${durationWords(node.start - trace.from)}`,
  ];
  if (trace.isCorrected && node.shift) words.push(`moved by ${durationWords(node.shift)}: its clock was off`);
  if (node.isDerived) words.push("made from log lines: start and parent are guessed");
  return [...words, ...node.warnings.map((one) => `▲ ${one}`)].join("\n");
}
