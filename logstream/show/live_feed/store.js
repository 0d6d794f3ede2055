// The loaded lines: ordered, bounded, without duplicates, frozen while somebody reads.

const MAX_ROWS = 20_000;
const KEPT_CHARACTERS = 16_384;

// Rows oldest first by (timestamp, id); the screen shows them the other way round. While
// paused, `rows` does not change: matching arrivals wait in `waiting`.
class LineStore {
  constructor() {
    this.rows = [];
    this.waiting = [];
    this.byId = new Map();
    this.filter = null;
    this.pausedBy = ""; // "", "button", "scroll", "selection" or "line"
    this.version = 0; // grows whenever `rows` changes
    this.taken = 0; // matching lines ever taken
    this.isTorn = false; // lines are missing between `rows` and `waiting`
    this.spooled = new Map(); // content of a line in the spool → the negative id we gave it
    this.lastSpooled = 0;
    this.onLanded = () => {}; // (our id, its id) of a line of the spool that has landed
  }

  get isPaused() {
    return this.pausedBy !== "";
  }

  // Takes lines in the API's shape; gives how many were new and matched.
  add(lines, { evenWhilePaused = false } = {}) {
    const now = clockNow();
    const fresh = [];
    if (this.spooled.size) lines.forEach((line) => this.noteLanded(line));
    for (const line of this.named(lines)) {
      if (this.byId.has(line.id) || !matchesFilter(this.filter, line, now)) continue;
      const row = { id: line.id, line: trimmed(line), height: 0, unfolded: false, ...readTime(line.createdAt) };
      this.byId.set(line.id, row);
      fresh.push(row);
    }
    if (!fresh.length) return 0;
    this.taken += fresh.length;
    if (this.isPaused && !evenWhilePaused) {
      this.waiting = this.merge(this.waiting, fresh);
    } else {
      this.rows = this.merge(this.rows, fresh);
      this.version++;
    }
    return fresh.length;
  }

  // A line in the spool has no id yet: it gets a negative one of ours, the same every time it is
  // seen, and keeps its row when it lands.
  named(lines) {
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

  merge(rows, fresh) {
    fresh.sort(compareRows);
    let from = rows.length;
    while (from > 0 && compareRows(rows[from - 1], fresh[0]) > 0) from--;
    if (from === rows.length) {
      for (const row of fresh) rows.push(row);
    } else {
      rows.push(...rows.splice(from).concat(fresh).sort(compareRows));
    }
    if (rows.length > MAX_ROWS) {
      for (const row of rows.splice(0, rows.length - MAX_ROWS)) this.byId.delete(row.id);
    }
    return rows;
  }

  pause(reason) {
    if (!this.isPaused) this.pausedBy = reason;
  }

  resume() {
    this.pausedBy = "";
    const waiting = this.waiting;
    this.waiting = [];
    if (this.isTorn) this.replace([]);
    this.isTorn = false;
    if (waiting.length) {
      for (const row of waiting) this.byId.set(row.id, row);
      this.rows = this.merge(this.rows, waiting);
      this.version++;
    }
  }

  // Keeps what the new filter means. A waiting list of another filter has no meaning, so it
  // joins the rows.
  setFilter(filter) {
    this.filter = filter;
    const now = clockNow();
    const kept = this.rows.concat(this.waiting).filter((row) => matchesFilter(filter, row.line, now));
    this.waiting = [];
    this.isTorn = false;
    this.replace(kept);
  }

  replace(rows) {
    this.rows = rows.sort(compareRows);
    this.byId = new Map(rows.map((row) => [row.id, row]));
    for (const row of this.waiting) this.byId.set(row.id, row);
    this.version++;
  }

  // The newest lines after an outage. When they do not reach back to what is loaded, there
  // may be a hole: the older rows go (scrolling down loads them again), so none is shown.
  addNewest(lines, limit, how = {}) {
    lines = this.named(lines);
    const isFull = lines.length >= limit;
    const overlaps = lines.some((line) => this.byId.has(line.id));
    if (isFull && !overlaps && this.rows.length) {
      if (this.isPaused) {
        this.waiting = [];
        this.isTorn = true;
        this.replace(this.rows);
      } else {
        this.replace([]);
      }
    }
    return this.add(lines, how);
  }

  // A relative range moves on: rows that left it go.
  dropExpired() {
    if (!this.filter?.rangeSeconds || this.isPaused) return;
    const [start] = windowOf(this.filter, clockNow());
    let gone = 0;
    while (gone < this.rows.length && compareTimes(this.rows[gone], start) < 0) gone++;
    if (!gone) return;
    for (const row of this.rows.splice(0, gone)) this.byId.delete(row.id);
    this.version++;
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

const compareRows = (a, b) => a.ms - b.ms || a.nanos - b.nanos || a.id - b.id;
