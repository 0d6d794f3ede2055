// Draws the rows that can be seen and no others. Elements stand in the page in the order of the
// screen, so that text is selected and read in it; one transform moves them all.

const SPARE_ROWS = 8; // drawn beyond both edges
const WRAP_LINE_HEIGHT = 18;
const BAND_HEIGHT = 26;
const FOOT_HEIGHT = 36;
const NEWEST_EDGE = 2; // scrolled less than this counts as "at the newest line"
const SOUGHT_AMONG = 5000; // rows read at most to reach a line
const DRAWN_CHARACTERS = 1200; // more than a row can show; keeps huge messages cheap

let shapes = 1; // numbers the layouts: heights measured in one mean nothing in another

class RowList {
  constructor(scroller, feed) {
    this.scroller = scroller;
    this.feed = feed;
    this.pad = scroller.querySelector(".pad");
    this.box = element("div", "rows");
    this.box.setAttribute("role", "rowgroup");
    this.pad.append(this.box);
    this.drawn = new Map(); // id → element
    this.drawnBands = new Map(); // band → element
    this.heights = new Heights();
    this.layout = ""; // what the heights were computed for
    this.anchor = null; // {row, offset}: what the reader has at the top edge
    this.scrollTop = 0;
    this.height = 0;
    this.isAtNewest = true;
    this.seesOldest = false;
    this.wantedId = null; // of a line opened from elsewhere: into view, if it is loaded
    this.sought = null; // key of a line to be brought into view once it is loaded
  }

  get count() {
    return this.feed.store.rows.length;
  }

  get isNewestLast() {
    return this.feed.isNewestLast;
  }

  rowAt(index) {
    const { rows } = this.feed.store;
    return rows[this.isNewestLast ? index : rows.length - 1 - index];
  }

  // Where a row is on screen, from the top; −1 when it is not loaded.
  indexOf(row) {
    const { rows } = this.feed.store;
    const at = lowerBound(rows, row);
    if (rows[at]?.id !== row.id) return -1;
    return this.isNewestLast ? at : rows.length - 1 - at;
  }

  // Anything drawn so far is out of date: another theme, zone, filter or width.
  forget() {
    this.drawn.clear();
    this.drawnBands.clear();
    this.box.replaceChildren();
    this.layout = "";
    this.shape = "";
  }

  // --- where things stand -------------------------------------------------------------------

  heightOf(row) {
    if (row.heightFor !== this.heightKey) {
      row.height = (this.estimateLines(row) - 1) * WRAP_LINE_HEIGHT + this.rowHeight;
      row.heightFor = this.heightKey;
    }
    return row.height;
  }

  // How many lines a wrapped row will take; drawing it tells the truth.
  estimateLines(row) {
    const { message } = row.line;
    const { text, hidden } = foldText(message.slice(0, this.drawnCharacters), FOLDED_LINES);
    let lines = hidden || message.length > this.drawnCharacters ? 1 : 0;
    for (const part of text.split("\n")) lines += Math.max(1, Math.ceil(part.length / this.columns));
    return lines;
  }

  // Brings the heights up to date; gives false when nothing moved.
  measure() {
    const { feed, heights } = this;
    const { store } = feed;
    this.rowHeight = feed.head.rowHeight;
    const shape = `${feed.wrap}|${feed.isNarrow}|${feed.width}|${feed.isDated}|${feed.head.key}|${this.rowHeight}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.box.style.setProperty("--row-height", `${this.rowHeight}px`);
      this.heightKey = shapes++;
      store.changedFrom = 0;
    }
    this.footHeight = feed.foot.textContent ? FOOT_HEIGHT : 0;
    const bands = feed.bands();
    const marks = bands.map((band) => band.mark).join();
    const layout = `${store.version}|${this.heightKey}|${this.heightsVersion}|${this.footHeight}|${this.isNewestLast}|${marks}`;
    if (layout === this.layout) return false;
    this.layout = layout;
    this.columns = Math.max(20, Math.floor((feed.width - (feed.isNarrow ? 24 : feed.lead)) / 7.25));
    // Wrapped and folded, a message takes four lines of the screen, whatever its own lines are.
    this.drawnCharacters = feed.wrap ? FOLDED_LINES * this.columns - 1 : DRAWN_CHARACTERS;
    heights.uniform = feed.wrap ? 0 : this.rowHeight;
    heights.update(store.rows, store.changedFrom, store.droppedRows, (row) => this.heightOf(row));
    store.changedFrom = store.rows.length;
    store.droppedRows = 0;
    heights.setBands(bands);
    return true;
  }

  // The top of a row in the scroller, by its place in time.
  topOf(at) {
    const { heights } = this;
    return this.isNewestLast ? this.footHeight + heights.before(at) : heights.total - heights.after(at);
  }

  bottomOf(at) {
    const { heights } = this;
    return this.isNewestLast ? this.footHeight + heights.after(at) : heights.total - heights.before(at);
  }

  // The place in time of the row at a height of the scroller.
  placeAt(y) {
    const { heights } = this;
    return heights.rowAt(this.isNewestLast ? y - this.footHeight : heights.total - y - 1);
  }

  timeOf(index) {
    return this.isNewestLast ? index : this.count - 1 - index;
  }

  get firstIndex() {
    return this.timeOf(this.placeAt(this.scrollTop));
  }

  get newestScrollTop() {
    if (!this.isNewestLast) return 0;
    return Math.max(0, this.heights.total + this.footHeight - this.height);
  }

  // True when the reader scrolled; false when we did and hear of it now.
  noteScroll() {
    const { scrollTop } = this.scroller;
    if (Math.abs(scrollTop - this.scrollTop) < 1) return false;
    this.scrollTop = scrollTop;
    this.dropAnchor();
    const left = this.isNewestLast ? this.newestScrollTop - scrollTop : scrollTop;
    this.isAtNewest = left <= NEWEST_EDGE;
    return true;
  }

  scrollTo(top) {
    if (Math.abs(top - this.scrollTop) < 1) return;
    this.scroller.scrollTop = top;
    this.scrollTop = Math.max(0, top);
  }

  // --- drawing --------------------------------------------------------------------------------

  paint() {
    const { scroller } = this;
    this.height = scroller.clientHeight;
    for (let pass = 0; pass < 3; pass++) {
      const hasMoved = this.measure();
      if (hasMoved) this.setPad();
      this.keepPlace(hasMoved);
      const { count } = this;
      this.dropAnchor();
      const first = Math.max(0, this.firstIndex - SPARE_ROWS);
      const last = Math.min(count - 1, this.timeOf(this.placeAt(this.scrollTop + this.height)) + SPARE_ROWS);
      this.seesOldest = count > 0 && (this.isNewestLast ? first === 0 : last === count - 1);
      if (!this.draw(first, last)) {
        this.isAtNewest = Math.abs(this.newestScrollTop - this.scrollTop) <= NEWEST_EDGE;
        return true;
      }
    }
    return false; // heights still differ from what was drawn: paint again
  }

  // What stands at the top edge stays there, whatever comes or goes around it.
  dropAnchor() {
    const at = this.placeAt(this.scrollTop);
    const row = this.feed.store.rows[at];
    this.anchor = row ? { row, offset: this.scrollTop - this.topOf(at) } : null;
  }

  setPad() {
    const height = `${this.heights.total + this.footHeight}px`;
    if (height !== this.padHeight) this.pad.style.height = this.padHeight = height;
    const foot = this.isNewestLast ? 0 : this.heights.total;
    if (foot !== this.footTop) this.feed.foot.style.transform = `translateY(${(this.footTop = foot)}px)`;
  }

  // Unpaused, the newest line stays in view; paused, what is being read stays where it is.
  keepPlace(hasMoved) {
    if (!this.feed.store.isPaused) {
      if (this.isNewestLast || this.scrollTop > NEWEST_EDGE) this.scrollTo(this.newestScrollTop);
    } else if (hasMoved && this.anchor) {
      const { rows } = this.feed.store;
      const at = lowerBound(rows, this.anchor.row);
      if (rows[at]?.id === this.anchor.row.id) this.scrollTo(this.topOf(at) + this.anchor.offset);
    }
  }

  get averageHeight() {
    return this.count ? Math.max(1, this.heights.total / this.count) : this.rowHeight;
  }

  get overflows() {
    return this.heights.total + this.footHeight > this.height;
  }

  // Gives true when measured heights differ from the estimates, so that they must be redone.
  draw(first, last) {
    const { feed, box } = this;
    const items = this.itemsOf(first, last);
    const wanted = new Set(items);
    const spare = [];
    for (const [id, el] of this.drawn) {
      if (!wanted.has(el.row)) {
        this.drawn.delete(id);
        spare.push(el);
      }
    }
    for (const [band, el] of this.drawnBands) {
      if (!wanted.has(band)) {
        el.remove();
        this.drawnBands.delete(band);
      }
    }
    const left = new Set(spare);
    const added = [];
    let cursor = box.firstChild;
    for (const item of items) {
      let el = item.line ? this.drawn.get(item.id) : this.bandElement(item);
      if (!el) {
        // The element that stands here already needs no move.
        el = left.has(cursor) ? cursor : spare.pop();
        while (el && !left.has(el)) el = spare.pop();
        left.delete(el);
        el ??= this.build();
        this.fill(el, item);
        added.push(el);
      }
      if (el === cursor) cursor = cursor.nextSibling;
      else box.insertBefore(el, cursor);
      if (item.line) this.mark(el, item);
    }
    for (const el of left) el.remove();
    const start = items.length ? this.topOfItem(items[0]) : 0;
    if (start !== this.start) box.style.transform = `translateY(${(this.start = start)}px)`;
    return feed.wrap && this.takeHeights(added);
  }

  // Rows and the bands between them, in the order of the screen.
  itemsOf(first, last) {
    const { isNewestLast } = this;
    const { rows } = this.feed.store;
    const items = [];
    for (let index = first; index <= last; index++) {
      const at = this.timeOf(index);
      const between = this.heights.bands.filter((band) => band.at === at);
      if (isNewestLast) items.push(...between, rows[at]);
      else items.push(rows[at], ...between.reverse());
    }
    return items;
  }

  topOfItem(item) {
    if (item.line) return this.topOf(lowerBound(this.feed.store.rows, item));
    // First of all drawn, newest last: the bands of a row stand above it.
    const between = this.heights.bands.filter((band) => band.at === item.at);
    return this.topOf(item.at) - between.reduce((sum, band) => sum + band.height, 0);
  }

  build() {
    const el = buildRow(this.feed.head.shown);
    el.setAttribute("role", "row");
    el.id = `row-${shapes++}`;
    for (const cell of el.children) cell.setAttribute("role", "gridcell");
    return el;
  }

  fill(el, row) {
    el.tint?.cancel();
    el.tint = null;
    fillRow(el, row, this.feed, this.drawnCharacters);
    signRow(el, row, this.feed);
    this.drawn.set(row.id, el);
  }

  mark(el, row) {
    const { selectedId, openId } = this.feed;
    const state = (row.id === selectedId ? 1 : 0) + (row.id === openId ? 2 : 0);
    if (state === el.state) return;
    el.state = state;
    el.classList.toggle("selected", row.id === selectedId);
    el.classList.toggle("open", row.id === openId);
    el.setAttribute("aria-selected", String(row.id === selectedId));
    if (row.id === selectedId) this.scroller.setAttribute("aria-activedescendant", el.id);
  }

  bandElement(band) {
    let el = this.drawnBands.get(band);
    if (!el) {
      el = band.build();
      el.style.height = `${band.height}px`;
      this.drawnBands.set(band, el);
    }
    return el;
  }

  takeHeights(added) {
    const heights = added.map((el) => el.offsetHeight);
    let differs = false;
    added.forEach((el, i) => {
      const { row } = el;
      if (Math.abs(heights[i] - this.heightOf(row)) < 1) return;
      row.height = heights[i];
      this.moved(row);
      differs = true;
    });
    return differs;
  }

  // The row has another height: everything newer moves.
  moved(row) {
    const { store } = this.feed;
    store.changedFrom = Math.min(store.changedFrom, lowerBound(store.rows, row));
    this.heightsVersion = (this.heightsVersion ?? 0) + 1;
  }

  // Draws one row anew after it was folded or unfolded.
  redraw(row) {
    row.heightFor = 0;
    this.drawn.get(row.id)?.remove();
    this.drawn.delete(row.id);
    this.moved(row);
  }

  // --- bringing a line into view --------------------------------------------------------------

  // True when the sought place came into view, so that other rows must be drawn.
  reachSought() {
    const { store, source } = this.feed;
    this.noteWanted();
    const { sought } = this;
    if (sought === null || !source.hasLoaded || sought.notIn === source.generation) return false;
    const at = lowerBound(store.rows, sought);
    if (sought.id > 0 ? store.rows[at]?.id !== sought.id : at === 0) {
      // Many newer lines stand before it: read on, but not for ever.
      if (source.hasAllOlder || source.httpError || this.count > SOUGHT_AMONG) {
        this.sought = null;
        sought.onMissing?.();
      } else source.loadOlder();
      return false;
    }
    this.sought = null;
    const half = Math.floor(this.height / 2);
    const row = store.rows[Math.min(at, this.count - 1)];
    this.scrollTo(this.topOf(Math.min(at, this.count - 1)) - half);
    this.anchor = { row, offset: -half }; // it stays there while heights settle
    return true;
  }

  noteWanted() {
    const { store, source } = this.feed;
    if (this.wantedId === null || !source.hasLoaded) return;
    const row = store.byId.get(this.wantedId);
    this.wantedId = null;
    const index = row ? this.indexOf(row) : -1;
    if (index < 0) return;
    const at = this.timeOf(index);
    const isInView = this.topOf(at) >= this.scrollTop && this.bottomOf(at) <= this.scrollTop + this.height;
    if (!isInView) this.sought = { ms: row.ms, nanos: row.nanos, id: row.id };
  }

  scrollToRow(row) {
    const at = lowerBound(this.feed.store.rows, row);
    if (this.feed.store.rows[at]?.id !== row.id) return;
    const [top, bottom] = [this.topOf(at), this.bottomOf(at)];
    if (top < this.scrollTop) this.scrollTo(top);
    else if (bottom > this.scrollTop + this.height) this.scrollTo(bottom - this.height);
    else return;
    this.anchor = { row, offset: this.scrollTop - top };
  }
}
