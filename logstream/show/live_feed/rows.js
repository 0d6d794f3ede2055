// Draws the rows that can be seen and no others: a pool of elements, moved by transform.

const SPARE_ROWS = 8; // drawn beyond both edges
const WRAP_LINE_HEIGHT = 18;
const NEWEST_EDGE = 2; // scrolled less than this counts as "at the newest line"
const SOUGHT_AMONG = 5000; // rows read at most to reach a line
const DRAWN_CHARACTERS = 1200; // more than a row can show; keeps huge messages cheap

let shapes = 1; // numbers the layouts: heights measured in one mean nothing in another

class RowList {
  constructor(scroller, feed) {
    this.scroller = scroller;
    this.feed = feed;
    this.pad = scroller.querySelector(".pad");
    this.drawn = new Map(); // id → element
    this.spare = [];
    this.tops = new Float64Array(1024);
    this.count = 0;
    this.layout = ""; // what the heights were computed for
    this.anchor = null; // {row, offset}: what the reader has at the top edge
    this.scrollTop = 0;
    this.soughtId = null; // to be brought into view once the filter's lines are loaded
  }

  rowAt(index) {
    const { rows } = this.feed.store;
    return rows[rows.length - 1 - index];
  }

  // Where a row is on screen, newest = 0; −1 when it is not loaded.
  indexOf(row) {
    const { rows } = this.feed.store;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareRows(rows[middle], row) < 0) low = middle + 1;
      else high = middle;
    }
    return rows[low]?.id === row.id ? rows.length - 1 - low : -1;
  }

  // Anything drawn so far is out of date: another theme, zone, filter or width.
  forget() {
    for (const row of this.drawn.values()) this.release(row);
    this.drawn.clear();
    this.layout = "";
  }

  release(el) {
    el.remove();
    if (this.spare.length < 100) this.spare.push(el);
  }

  heightOf(row) {
    if (!this.feed.wrap) return this.rowHeight;
    if (row.height && row.heightFor === this.heightKey) return row.height;
    if (row.linesFor !== this.heightKey) {
      row.lines = this.estimateLines(row);
      row.linesFor = this.heightKey;
    }
    const { lines } = row;
    return lines * WRAP_LINE_HEIGHT + this.rowHeight - WRAP_LINE_HEIGHT;
  }

  // How many lines a wrapped row will take; drawing it tells the truth.
  estimateLines(row) {
    const { message } = row.line;
    const { text, hidden } = foldText(message.slice(0, this.drawnCharacters), FOLDED_LINES);
    let lines = hidden || message.length > this.drawnCharacters ? 1 : 0;
    for (const part of text.split("\n")) lines += Math.max(1, Math.ceil(part.length / this.columns));
    return lines;
  }

  // The top of every row, when rows, width or wrapping changed.
  measure() {
    const { feed } = this;
    const { rows, version } = feed.store;
    this.rowHeight = feed.head.rowHeight;
    const shape = `${feed.wrap}|${feed.isNarrow}|${feed.width}|${feed.isDated}|${feed.head.key}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.heightKey = shapes++;
    }
    const layout = `${version}|${this.heightKey}|${this.heightsVersion}`;
    if (layout === this.layout) return false;
    this.layout = layout;
    this.count = rows.length;
    this.columns = Math.max(20, Math.floor((feed.width - (feed.isNarrow ? 24 : feed.lead)) / 7.25));
    // Wrapped and folded, a message takes four lines of the screen, whatever its own lines are.
    this.drawnCharacters = feed.wrap ? FOLDED_LINES * this.columns - 1 : DRAWN_CHARACTERS;
    if (this.tops.length <= this.count) this.tops = new Float64Array(this.count * 2 + 1);
    let top = 0;
    for (let index = 0; index < this.count; index++) {
      this.tops[index] = top;
      top += this.heightOf(this.rowAt(index));
    }
    this.tops[this.count] = top;
    return true;
  }

  indexAtHeight(y) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return Math.min(low, Math.max(0, this.count - 1));
  }

  paint() {
    const { scroller } = this;
    const height = scroller.clientHeight;
    for (let pass = 0; pass < 3; pass++) {
      const changed = this.measure();
      let scrollTop = scroller.scrollTop;
      if (changed) {
        this.pad.style.height = `${this.tops[this.count]}px`;
        const index = this.anchor && scrollTop > NEWEST_EDGE ? this.indexOf(this.anchor.row) : -1;
        if (index >= 0) {
          const wanted = this.tops[index] + this.anchor.offset;
          if (Math.abs(wanted - scrollTop) >= 1) scroller.scrollTop = scrollTop = wanted;
        }
      }
      this.scrollTop = scrollTop;
      const seen = this.indexAtHeight(scrollTop);
      this.anchor = this.count ? { row: this.rowAt(seen), offset: scrollTop - this.tops[seen] } : null;
      const first = Math.max(0, seen - SPARE_ROWS);
      const last = Math.min(this.count - 1, this.indexAtHeight(scrollTop + height) + SPARE_ROWS);
      this.lastSeen = last;
      if (!this.draw(first, last)) return true;
    }
    return false; // heights still differ from what was drawn: paint again
  }

  // Gives true when measured heights differ from the estimates, so that tops must be redone.
  draw(first, last) {
    const wanted = new Set();
    for (let index = first; index <= last; index++) wanted.add(this.rowAt(index).id);
    for (const [id, el] of this.drawn) {
      if (wanted.has(id)) continue;
      this.release(el);
      this.drawn.delete(id);
    }
    const added = [];
    for (let index = first; index <= last; index++) {
      const row = this.rowAt(index);
      let el = this.drawn.get(row.id);
      if (!el) {
        el = this.spare.pop() ?? buildRow(this.feed.head.shown);
        fillRow(el, row, this.feed, this.drawnCharacters);
        this.drawn.set(row.id, el);
        this.pad.append(el);
        added.push(el);
      }
      const transform = `translateY(${this.tops[index]}px)`;
      if (el.style.transform !== transform) el.style.transform = transform;
      const { selectedId, openId } = this.feed;
      el.classList.toggle("selected", row.id === selectedId);
      el.classList.toggle("open", row.id === openId);
    }
    if (!this.feed.wrap) return false;
    let differs = false;
    const heights = added.map((el) => el.offsetHeight);
    added.forEach((el, i) => {
      const { row } = el;
      const estimate = this.heightOf(row);
      row.height = heights[i];
      row.heightFor = this.heightKey;
      if (Math.abs(heights[i] - estimate) >= 1) differs = true;
    });
    if (differs) this.heightsVersion = (this.heightsVersion ?? 0) + 1;
    return differs;
  }

  // Draws one row anew after it was folded or unfolded.
  redraw(row) {
    row.height = 0;
    const el = this.drawn.get(row.id);
    if (el) {
      this.release(el);
      this.drawn.delete(row.id);
    }
    this.layout = "";
  }

  // True when the sought line came into view, so that other rows must be drawn.
  reachSought() {
    const { store, source } = this.feed;
    if (this.soughtId === null || !source.hasLoaded) return false;
    const row = store.byId.get(this.soughtId);
    if (!row || this.indexOf(row) < 0) {
      // Many newer lines stand in its last seconds: read on, but not for ever.
      if (source.hasAllOlder || source.httpError || this.count > SOUGHT_AMONG) this.soughtId = null;
      else source.loadOlder();
      return false;
    }
    this.soughtId = null;
    const half = Math.floor(this.scroller.clientHeight / 2);
    this.scroller.scrollTop = this.tops[this.indexOf(row)] - half;
    this.anchor = { row, offset: -half }; // it stays there while heights settle
    return true;
  }

  scrollToRow(row) {
    const index = this.indexOf(row);
    if (index < 0) return;
    const top = this.tops[index];
    const bottom = this.tops[index + 1];
    const { scroller } = this;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = bottom - scroller.clientHeight;
    }
  }
}
