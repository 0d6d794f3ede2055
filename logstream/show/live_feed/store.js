// The loaded lines: ordered, bounded, without duplicates, frozen while somebody reads.

const MAX_ROWS = 20_000;
const MAX_WAITING = 10_000;
const KEPT_CHARACTERS = 16_384;
// Arrivals wait a moment for their stragglers, so that lines of several publishers are shown in
// their order at once. One publisher sorts its own; its frames of a window come together.
const SETTLE_MS = 20;
const SETTLE_SEVERAL_MS = 60;
// Out of order: lines this much newer were shown before it came. Less, no reader can tell.
const OUT_OF_ORDER_MS = 1000;
const MOST_TINTED = 5;
const CALM_MS = 300;

// Rows oldest first by (timestamp, id). Arrivals settle in `arriving`; while paused, `rows` does
// not change and matching lines wait in `waiting`.
class LineStore {
  constructor() {
    this.rows = [];
    this.waiting = [];
    this.waitingDropped = 0; // oldest waiting lines let go, for memory
    this.arriving = [];
    this.arrivedMs = 0; // when the first of `arriving` came
    this.settleMs = SETTLE_MS;
    this.isHeld = false; // for a moment: the reader is about to click
    this.byId = new Map();
    this.gaps = new Gaps();
    this.filter = null;
    this.pausedBy = ""; // "", "button", "scroll", "selection" or "line"
    this.version = 0; // grows whenever `rows` changes
    this.changedFrom = 0; // rows before this index are as they were, but for
    this.droppedRows = 0; // so many gone from the front; both since the list looked
    this.shownMs = 0; // when rows were shown last
    this.taken = 0; // matching lines ever taken
    this.spooled = new Map(); // content of a line in the spool → the negative id we gave it
    this.lastSpooled = 0;
    this.onSettled = () => {};
    this.onLanded = () => {}; // (our id, its id) of a line of the spool that has landed
  }

  get isPaused() {
    return this.pausedBy !== "";
  }

  // How many matching lines came since the reader paused, kept or not.
  get waitingCount() {
    return this.waiting.length + this.waitingDropped;
  }

  // Takes lines in the API's shape; gives how many were new and matched.
  add(lines, { evenWhilePaused = false } = {}) {
    const now = clockNow();
    const fresh = [];
    if (this.spooled.size) lines.forEach((line) => this.noteLanded(line));
    for (const line of this.named(lines)) {
      if (this.byId.has(line.id) || !this.means(line, now)) continue;
      const { ms, nanos } = readTime(line.createdAt);
      const row = { id: line.id, ms, nanos, line: trimmed(line), height: 0, heightFor: 0, unfolded: false, isInserted: false, shownMs: 0 };
      this.byId.set(line.id, row);
      fresh.push(row);
    }
    if (!fresh.length) return 0;
    this.taken += fresh.length;
    if (evenWhilePaused) {
      this.place(fresh);
    } else {
      for (const row of fresh) this.arriving.push(row);
      this.settleSoon();
    }
    return fresh.length;
  }

  means(line, now) {
    return matchesFilter(this.filter, line, now);
  }

  settleSoon() {
    const now = performance.now();
    this.arrivedMs ||= now;
    if (this.isHeld) return;
    // A hidden tab's timers are slow: what has waited long enough needs none.
    if (now - this.arrivedMs >= this.settleMs) this.settle();
    else this.settling ??= setTimeout(() => this.settle(), this.settleMs);
  }

  settle() {
    clearTimeout(this.settling);
    this.settling = null;
    if (this.isHeld || !this.arriving.length) return;
    const fresh = this.arriving;
    this.arriving = [];
    this.arrivedMs = 0;
    if (this.isPaused) this.wait(fresh);
    else this.show(fresh);
    this.onSettled();
  }

  hold() {
    this.isHeld = true;
  }

  release() {
    this.isHeld = false;
    this.settle();
  }

  wait(fresh) {
    mergeRows(this.waiting, fresh);
    const excess = this.waiting.length - MAX_WAITING;
    if (excess <= 0) return;
    this.waitingDropped += excess;
    for (const row of this.waiting.splice(0, excess)) this.byId.delete(row.id);
  }

  show(fresh) {
    const newest = this.newestOfNow();
    const now = performance.now();
    // Few enough to be told apart; a stream of tints would flicker.
    const isCalm = fresh.length <= MOST_TINTED && now - this.shownMs >= CALM_MS;
    this.shownMs = now;
    for (const row of fresh) {
      if (isCalm) row.shownMs = now;
      row.isInserted = Boolean(newest) && row.id > newest.id && row.ms < newest.ms - OUT_OF_ORDER_MS;
    }
    this.place(fresh);
  }

  // The newest row shown; those of clocks that run ahead say nothing about order.
  newestOfNow() {
    const now = pageClock.now() + OUT_OF_ORDER_MS;
    let at = this.rows.length - 1;
    const last = Math.max(0, at - 200);
    while (at > last && this.rows[at].ms > now) at--;
    return this.rows[at];
  }

  place(fresh) {
    this.changedFrom = Math.min(this.changedFrom, mergeRows(this.rows, fresh));
    this.version++;
    if (this.rows.length > MAX_ROWS) this.dropOldest(this.rows.length - MAX_ROWS);
  }

  dropOldest(count) {
    for (const row of this.rows.splice(0, count)) this.byId.delete(row.id);
    this.droppedRows += count;
    this.changedFrom = Math.max(0, this.changedFrom - count);
    this.gaps.forgetBefore(this.rows[0]);
    this.version++;
  }

  // A line in the spool has no id yet: it gets a negative one of ours, the same every time it is
  // seen, and keeps its row when it lands.
  named(lines) {
    if (!lines.some((line) => line.id === null)) return lines;
    const seen = new Map();
    return lines.map((line) => {
      if (line.id !== null) return line;
      const content = contentOf(line);
      const times = (seen.get(content) ?? 0) + 1;
      seen.set(content, times);
      const key = `${content}\n${times}`;
      if (!this.spooled.has(key)) this.spooled.set(key, --this.lastSpooled);
      return { ...line, id: this.spooled.get(key) };
    });
  }

  noteLanded(line) {
    if (line.id === null || this.byId.has(line.id)) return;
    const content = contentOf(line);
    for (let times = 1; this.spooled.has(`${content}\n${times}`); times++) {
      const id = this.spooled.get(`${content}\n${times}`);
      const row = this.byId.get(id);
      if (!row) continue;
      this.spooled.delete(`${content}\n${times}`);
      this.byId.delete(id);
      row.id = line.id;
      row.line = trimmed(line);
      this.byId.set(row.id, row);
      this.onLanded(id, row.id);
      return;
    }
  }

  // Long after the database is back, a row that found no line of its own was the same line twice.
  forgetSpooled() {
    if (!this.spooled.size) return;
    this.spooled.clear();
    if (this.rows.some((row) => row.id < 0)) this.replace(this.rows.filter((row) => row.id > 0));
  }

  pause(reason) {
    if (!this.isPaused) this.pausedBy = reason;
  }

  resume() {
    this.pausedBy = "";
    const { waiting, waitingDropped } = this;
    this.waiting = [];
    this.waitingDropped = 0;
    if (waitingDropped) this.noteGap(waiting[0], waitingDropped);
    if (waiting.length) this.show(waiting);
    this.settle();
  }

  // Another moment is to be shown: nothing loaded so far has a meaning in it.
  clear() {
    this.waiting = [];
    this.waitingDropped = 0;
    this.arriving = [];
    this.gaps.clear();
    this.replace([]);
  }

  // Keeps what the new filter means. A waiting list of another filter has no meaning, so it
  // joins the rows.
  setFilter(filter) {
    this.filter = filter;
    const now = clockNow();
    const all = this.rows.concat(this.waiting, this.arriving);
    this.waiting = [];
    this.waitingDropped = 0;
    this.arriving = [];
    this.gaps.clear();
    this.replace(all.filter((row) => matchesFilter(filter, row.line, now)));
  }

  replace(rows) {
    this.rows = rows.sort(compareRows);
    this.byId = new Map(rows.map((row) => [row.id, row]));
    for (const row of this.waiting) this.byId.set(row.id, row);
    for (const row of this.arriving) this.byId.set(row.id, row);
    this.changedFrom = 0;
    this.version++;
  }

  // The newest lines: of a filter just set, or after an outage. When a full page does not reach
  // back to what is loaded, lines are missing between the two.
  addNewest(lines, limit, how = {}) {
    lines = this.named(lines);
    if (lines.length >= limit) {
      const oldest = keyOf(lines[lines.length - 1]);
      if (how.evenWhilePaused) {
        // Rows of the filter before hold only what it meant; scrolling loads them again.
        this.dropOldest(lowerBound(this.rows, oldest));
      } else if (!lines.some((line) => this.byId.has(line.id))) {
        this.settle();
        this.noteGap(oldest, null);
      }
    }
    return this.add(lines, how);
  }

  // `newer`: the oldest line above the gap; `count`: lines missing, null when nobody knows.
  noteGap(newer, count) {
    const at = lowerBound(this.rows, newer);
    const waitingAt = lowerBound(this.waiting, newer);
    const older = this.waiting[waitingAt - 1] ?? this.rows[at - 1];
    if (older) this.gaps.add(older, newer, count);
    this.version++;
  }

  // A relative range moves on: rows that left it go.
  dropExpired() {
    if (!this.filter?.rangeSeconds || this.isPaused || this.isHeld) return;
    const [start] = windowOf(this.filter, clockNow());
    let gone = 0;
    while (gone < this.rows.length && compareTimes(this.rows[gone], start) < 0) gone++;
    if (gone) this.dropOldest(gone);
  }
}

// Twenty thousand rows must fit in memory; the drawer fetches a long message whole.
function trimmed(line) {
  if (line.message.length <= KEPT_CHARACTERS) return line;
  const messageBytes = line.messageBytes ?? new Blob([line.message]).size;
  return { ...line, message: line.message.slice(0, KEPT_CHARACTERS), messageBytes };
}

const contentOf = (line) =>
  [line.createdAt, line.environment, line.source, line.severity, line.message.slice(0, 500)].join("\n");

const keyOf = (line) => ({ ...readTime(line.createdAt), id: line.id });

const compareRows = (a, b) => a.ms - b.ms || a.nanos - b.nanos || a.id - b.id;

// The first index whose row does not come before `key`.
function lowerBound(rows, key) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareRows(rows[middle], key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Adds `fresh` to sorted `rows`, reading only what is newer than its oldest; gives the first
// index that changed.
function mergeRows(rows, fresh) {
  fresh.sort(compareRows);
  const from = lowerBound(rows, fresh[0]);
  const tail = rows.splice(from);
  let next = 0;
  for (const row of fresh) {
    while (next < tail.length && compareRows(tail[next], row) < 0) rows.push(tail[next++]);
    rows.push(row);
  }
  while (next < tail.length) rows.push(tail[next++]);
  return from;
}
