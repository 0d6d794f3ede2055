// The head over the rows, and the layout both share: columns are dragged to another place,
// their edges to another width; a double click fits one to its content.

const FITTED_WIDTH = 600; // at most, by a double click
const DRAG_STARTS = 5; // pixels
const HEAD_TOOLS = 500; // what the tools take of the head's only row

class ColumnHead {
  constructor(el, feed) {
    this.el = el;
    this.feed = feed;
    this.heads = element("div", "heads");
    this.el.replaceChildren(this.heads);
    this.shown = []; // the columns drawn
    this.names = this.key = this.layout = ""; // what is drawn, and by which widths
    this.resized = null; // {name, width} while an edge is dragged
    letReorder(this.heads, ".cell", false, (from, to) => this.move(this.shown[from].name, this.shown[to].name));
  }

  // Every column that was chosen, shown or not.
  get chosen() {
    const columns = readColumns(this.feed.options.get("cols"));
    return columns.length ? columns : readColumns(USUAL_COLUMNS);
  }

  // How many more a link asked for than are drawn.
  get left() {
    const text = this.feed.options.get("cols");
    if (text !== this.counted?.text) {
      this.counted = { text, left: readColumns(text, Infinity).length - readColumns(text).length };
    }
    return this.counted.left;
  }

  get times() {
    return TIMES[this.feed.options.get("times")];
  }

  get rowHeight() {
    const [wide, narrow] = ROW_HEIGHTS[this.feed.options.get("rows")];
    return this.feed.isNarrow && this.hasMessage ? narrow : wide;
  }

  get hasMessage() {
    return this.shown.some(({ name }) => name === "message");
  }

  timeText(ms, iso) {
    const { clock, isDated } = this.feed;
    const { isDaily, write } = this.times;
    const text = write(clock, ms, iso ?? "");
    return isDated && isDaily ? `${clock.date(ms).slice(5)} ${text}` : text;
  }

  widthOf({ name, width }) {
    if (this.resized?.name === name) return this.resized.width;
    if (width !== null) return width;
    if (name === "time" || name === "received") {
      return this.times.width + (this.feed.isDated && this.times.isDaily ? DATE_WIDTH : 0);
    }
    return COLUMNS[name]?.width ?? (name === "message" ? LEAST_MESSAGE : ATTRIBUTE_WIDTH);
  }

  // Follows the options, the filter, the zone, the dates shown and the window's width.
  refresh() {
    const { feed } = this;
    if (!feed.list || !feed.width) return;
    this.shown = this.chosen.filter(({ isAuto }) => !isAuto || feed.showsEnvironment);
    const names = JSON.stringify([this.shown.map(({ name }) => name), feed.options.get("times"), feed.clock.zone]);
    if (names !== this.names) {
      this.names = names;
      this.draw();
      feed.list.forget();
    }
    this.lay();
  }

  lay() {
    const { feed, shown } = this;
    const widths = shown.map((column) => this.widthOf(column));
    const least = widths.reduce((sum, width, at) => sum + (shown[at].name === "message" ? Math.max(LEAST_MESSAGE, width) : width), ROW_EDGES);
    const isWide = !feed.isNarrow && least > feed.width;
    const isLast = shown.at(-1)?.name === "message";
    const isApart = !feed.isNarrow && (!isLast || isWide || least - LEAST_MESSAGE + HEAD_TOOLS > feed.width);
    const template = feed.isNarrow ? this.narrowTemplate(widths) : shown
      .map(({ name }, at) => (name === "message" ? `minmax(${Math.max(LEAST_MESSAGE, widths[at])}px, 1fr)` : `${widths[at]}px`))
      .join(" ");
    const layout = `${template}|${least}|${feed.width}|${this.rowHeight}|${isApart}`;
    this.key = `${this.names}|${template}|${this.rowHeight}`;
    if (layout === this.layout) return;
    this.layout = layout;
    const own = shown.find(({ name }) => name === "message");
    const others = least - (own ? Math.max(LEAST_MESSAGE, this.widthOf(own)) : 0);
    this.messageWidth = Math.max(LEAST_MESSAGE, feed.isNarrow ? feed.width - 24 : feed.width - others);
    feed.lead = feed.width - this.messageWidth;
    const { style, classList } = feed.box;
    style.setProperty("--cells", template);
    style.setProperty("--list", isWide ? `${least}px` : "100%");
    style.setProperty("--heads", `${Math.max(feed.width, isWide ? least : 0)}px`);
    style.setProperty("--row", `${this.rowHeight}px`);
    classList.toggle("apart", isApart);
    if (feed.wrap) feed.list.forget();
    feed.schedule();
  }

  // A phone: times and severity as wide as ever, the others share the rest of the line.
  narrowTemplate(widths) {
    const firsts = this.shown.map(({ name }, at) => [name, widths[at]]).filter(([name]) => name !== "message").slice(0, NARROW_CELLS);
    const isFixed = (name) => ["time", "received", "severity"].includes(name);
    return firsts.map(([name, width]) => (isFixed(name) ? `minmax(0, ${width}px)` : "minmax(0, 1fr)")).join(" ") || "1fr";
  }

  draw() {
    this.heads.replaceChildren(
      ...this.shown.map((column) => {
        const { name } = column;
        const cell = element("span", `cell ${isAttribute(name) ? "attribute" : name}`);
        cell.append(element("span", "label", columnLabel(name)));
        cell.title = `${columnLabel(name)}\nDrag to move`;
        if (name === "time" || name === "received") this.nameZone(cell);
        if (name !== "message") cell.append(this.edge(column));
        return cell;
      }),
    );
    this.follow();
  }

  nameZone(cell) {
    const { clock } = this.feed;
    const times = this.feed.options.get("times");
    if (times === "age") return;
    const zone = times === "iso" ? "UTC" : clock.zone.split("/").pop().replaceAll("_", " ");
    cell.append(" ", element("span", "zone", zone));
    cell.title = `${clock.full(Date.now())}\nDrag to move`;
  }

  edge({ name }) {
    const edge = element("span", "edge");
    edge.title = "Drag to change the width, double click to fit it";
    edge.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      const before = this.widthOf(this.shown.find((column) => column.name === name));
      edge.setPointerCapture(event.pointerId);
      edge.onpointermove = ({ clientX }) => {
        this.resized = { name, width: clampedWidth(before + clientX - event.clientX) };
        this.lay();
      };
      edge.onlostpointercapture = () => {
        edge.onpointermove = edge.onlostpointercapture = null;
        const { resized } = this;
        this.resized = null;
        if (resized && resized.width !== before) this.resize(name, resized.width);
        else this.lay();
      };
    };
    edge.ondblclick = () => this.resize(name, this.contentWidth(name));
    return edge;
  }

  contentWidth(name) {
    const at = this.shown.findIndex((column) => column.name === name);
    const cells = [...this.feed.list.drawn.values()].map((el) => el.cells[at]);
    const range = document.createRange();
    let widest = 0;
    for (const cell of [this.heads.children[at].querySelector(".label"), ...cells]) {
      range.selectNodeContents(cell);
      widest = Math.max(widest, range.getBoundingClientRect().width);
    }
    return clampedWidth(Math.min(FITTED_WIDTH, Math.ceil(widest) + 12));
  }

  resize(name, width) {
    this.choose(this.chosen.map((column) => (column.name === name ? { ...column, width, isAuto: false } : column)));
  }

  // Puts one column where another is.
  move(name, target) {
    const columns = this.chosen;
    const at = (wanted) => columns.findIndex((column) => column.name === wanted);
    const to = at(target);
    const [moved] = columns.splice(at(name), 1);
    columns.splice(to, 0, moved);
    this.choose(columns);
  }

  choose(columns) {
    this.feed.options.set("cols", writeColumns(columns));
  }

  // Ages grow while nobody touches anything: only texts that differ are written.
  renewAges() {
    if (this.feed.options.get("times") !== "age") return;
    for (const el of this.feed.list.drawn.values()) {
      for (const cell of el.cells) if (cell.column === "time" || cell.column === "received") fillTime(cell, el.row, this.feed);
    }
  }

  // The head stands over the rows when they are scrolled sideways.
  follow() {
    this.heads.style.transform = `translateX(${-this.feed.scroller.scrollLeft}px)`;
  }
}

// Lets items of a row or a list be dragged to another one's place: `onMove(from, to)`.
function letReorder(box, selector, isVertical, onMove) {
  const itemAt = ({ clientX, clientY }) =>
    [...box.children].findIndex((item) => {
      const { left, right, top, bottom } = item.getBoundingClientRect();
      return isVertical ? clientY >= top && clientY < bottom : clientX >= left && clientX < right;
    });
  box.addEventListener("pointerdown", (event) => {
    const item = event.target.closest(selector);
    if (!item || event.button || (isVertical && !event.target.closest(".grip"))) return;
    const from = [...box.children].indexOf(item);
    const mark = (at) => {
      [...box.children].forEach((other, place) => {
        other.classList.toggle("before", place === at && at < from);
        other.classList.toggle("after", place === at && at > from);
      });
    };
    let to = from;
    let isDragged = false;
    const stop = new AbortController();
    const on = (name, handler) => addEventListener(name, handler, { signal: stop.signal });
    const end = () => {
      stop.abort();
      item.classList.remove("dragged");
      mark(-1);
    };
    on("pointermove", (moved) => {
      isDragged ||= Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) > DRAG_STARTS;
      if (!isDragged) return;
      item.classList.add("dragged");
      const at = itemAt(moved);
      if (at >= 0) mark((to = at));
    });
    on("pointerup", () => {
      end();
      if (isDragged && to !== from) onMove(from, to);
    });
    on("pointercancel", end);
  });
}
