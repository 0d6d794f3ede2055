// History in place of the present: a line comes when the position reaches the moment it was
// received, so the feed looks as it looked then. Lines are read ahead of the position, a bounded
// chunk at a time; when reading is slower than playing, the position waits.

const CHUNK_LIMIT = 1000; // lines of one chunk; of more, the service sends an even sample
const SLOT_MS = 100; // of the reader's time: so often counts are told while playing
const MOST_SLOTS = 200;
const AHEAD_MS = 3000; // of the reader's time: so far ahead of the position lines are read
const LONGEST_CHUNK_MS = 20_000; // of the reader's time
const SHORTEST_CHUNK_MS = 20; // of played time
const IDLE_MS = 2000; // of the reader's time: a longer gap counts as idle
const IDLE_LEAD_MS = 300; // of the reader's time: left of a gap that was jumped
const READABLE_MS = 2000; // what was received so lately may not be readable yet
const END_MS = 1000; // so near the present counts as having reached it
const LEAST_CHUNK_MS = 500; // near the present: no question for every blink
const RETRY_MS = 2000;
const PLAYED_RATE_MS = 5000;

class PlaybackSource extends LineReader {
  constructor(store, onChange) {
    super(store, onChange);
    this.isPlayback = true;
    this.isOpen = true;
    this.rung = "";
    this.exact = 0; // the position with its fraction of a millisecond
    this.speed = 1; // what reading ahead is measured by; standing still counts as 1
    this.spanMs = 1000; // played time of the next chunk
    this.hasEnded = false; // the present was reached; it moves on, the position does not
    this.skipped = 0;
    this.arrivals = []; // [ms, lines received] of the last seconds of the reader's time
    this.shown = []; // the same of lines drawn
    this.skippedMs = 0; // how much of the last idle gap was jumped over, in one leap or several
    this.forgetAhead(0);
  }

  // What was received before this moment (ms) is shown.
  get position() {
    return Math.floor(this.exact);
  }

  // Everything before it has been received and can be read.
  get edge() {
    return Math.floor(Date.now() + pageClock.skewMs - READABLE_MS);
  }

  // Waiting for lines rather than for the reader.
  get isWaiting() {
    return !this.httpError && (!this.isCurrent || (this.frontier <= this.position && !this.hasEnded));
  }

  forgetAhead(from) {
    this.queue = []; // lines to come, in the order they were received
    this.slots = []; // counts to come: {endMs, counts}
    this.frontier = from; // everything received before it is drawn or in the queue
    this.counted = from; // counts were told up to here
    this.isSampled = false;
    this.ahead = (this.ahead ?? 0) + 1;
    this.isReading = false;
  }

  // --- the interface of a source --------------------------------------------------------

  use(base, filter) {
    this.base = base;
    this.filter = filter;
    this.reload();
  }

  end() {
    this.isOver = true;
    this.generation++;
    this.forgetAhead(this.position);
  }

  wake() {}

  catchUp() {
    return this.reload();
  }

  recent(parameters, filterUrl = this.filter.url) {
    return super.recent({ ...parameters, at: momentText(this.position) }, filterUrl);
  }

  tick() {
    const now = Date.now();
    for (const recent of [this.arrivals, this.shown]) {
      while (recent.length && recent[0][0] < now - PLAYED_RATE_MS) recent.shift();
    }
    if (this.httpError && now - this.lastAskedMs >= RETRY_MS) {
      if (this.isCurrent) this.readAhead();
      else this.reload();
    }
  }

  get linesPerSecond() {
    return this.rateOf(this.arrivals);
  }

  get shownPerSecond() {
    return this.rateOf(this.shown);
  }

  rateOf(recent) {
    const total = recent.reduce((sum, [, lines]) => sum + lines, 0);
    const open = Math.min(PLAYED_RATE_MS, Math.max(1000, Date.now() - this.startedMs));
    return total / (open / 1000);
  }

  get state() {
    return this.httpError ? "degraded" : "playback";
  }

  // --- moving -----------------------------------------------------------------------------

  seek(ms) {
    this.exact = Math.max(0, Math.min(ms, this.edge));
    this.hasEnded = this.exact >= this.edge - END_MS;
    return this.reload();
  }

  // The lines as of the position. Those of the moment before stay until the answer is there.
  async reload() {
    const generation = ++this.generation;
    this.isCurrent = false;
    this.hasAllOlder = false;
    this.lastAskedMs = Date.now();
    this.measureAnew();
    this.forgetAhead(this.position);
    pageClock.playedMs = this.position;
    this.onChange();
    try {
      const lines = await this.recent({ limit: RECENT_LIMIT });
      if (generation !== this.generation) return;
      this.store.clear();
      this.store.add(lines, { evenWhilePaused: true });
      this.hasAllOlder = lines.length < RECENT_LIMIT;
      this.hasLoaded = this.isCurrent = true;
      this.httpError = "";
      this.readAhead();
    } catch (error) {
      if (generation !== this.generation) return;
      this.httpError = error.message;
      this.store.clear(); // none of them is of this moment
    }
    this.onChange();
  }

  // Plays `wallMs` of the reader's time; the position stays where lines are still missing.
  advance(wallMs, skipsIdle) {
    if (!this.isCurrent) return;
    let target = this.exact + wallMs * this.speed;
    const next = this.nextMs;
    if (skipsIdle && next - this.exact > IDLE_MS * this.speed) {
      const landing = next - IDLE_LEAD_MS * this.speed;
      if (this.isGapOver) this.skippedMs = 0;
      this.isGapOver = false;
      this.skippedMs += landing - this.exact;
      target = Math.max(target, landing);
    }
    this.moveTo(Math.min(target, this.frontier, this.edge));
    this.readAhead();
  }

  // When the next line comes, as far as it is known.
  get nextMs() {
    return this.queue.length ? this.queue[0].receivedMs : this.frontier;
  }

  moveTo(target) {
    if (target < this.exact) return;
    this.exact = target;
    this.hasEnded ||= target >= this.edge - END_MS;
    const { position } = this;
    pageClock.playedMs = position;
    const lines = [];
    while (this.queue.length && this.queue[0].receivedMs < position) lines.push(this.queue.shift().line);
    const now = Date.now();
    if (lines.length) {
      this.isGapOver = true;
      this.store.add(lines);
      this.shown.push([now, lines.length]);
    }
    while (this.slots.length && this.slots[0].endMs <= position) this.count(this.slots.shift(), now);
    this.onChange();
  }

  // On to the next line, wherever it is; false when there is none before the present.
  async stepToLine() {
    const { generation } = this;
    if (this.isSampled) this.forgetAhead(this.counted);
    this.spanMs = Math.min(this.spanMs, 1000);
    while (!this.queue.length && this.frontier < this.edge && generation === this.generation) {
      if (!(await this.readAhead(true))) return false;
    }
    if (generation !== this.generation || !this.queue.length) return false;
    this.moveTo(Math.max(this.queue[0].receivedMs + 1, this.position));
    return true;
  }

  // --- reading ahead ------------------------------------------------------------------------

  setSpeed(speed) {
    // A sample for a fast view is too thin for a slow one.
    if (speed < this.speed && this.isSampled) this.forgetAhead(this.counted);
    this.spanMs = Math.max(SHORTEST_CHUNK_MS, (this.spanMs / this.speed) * speed);
    this.speed = speed;
    this.measureAnew();
  }

  measureAnew() {
    this.arrivals = [];
    this.shown = [];
    this.startedMs = Date.now();
  }

  // Reads the next chunk when it is time; gives true when lines or the way to them are known.
  async readAhead(isAsked = false) {
    const edge = this.edge;
    const isFar = this.frontier >= this.position + AHEAD_MS * this.speed;
    const isEnough = this.frontier > edge - LEAST_CHUNK_MS || isFar;
    if (!this.isCurrent || this.isOver || this.frontier >= edge || (isEnough && !isAsked)) return true;
    if (this.isReading) return isAsked ? this.reading : true;
    this.isReading = true;
    this.reading = this.readChunk(this.frontier, Math.min(this.frontier + this.spanMs, edge), edge);
    return this.reading;
  }

  async readChunk(from, to, edge) {
    const { ahead } = this;
    to = Math.max(from + 1, Math.floor(to));
    const url = { ...this.filter.url };
    // These are of the lines' own time, and of the position; lines are held to them one by one.
    for (const name of ["from", "to", "range", "at"]) delete url[name];
    const slots = Math.max(1, Math.min(MOST_SLOTS, Math.round((to - from) / (SLOT_MS * this.speed))));
    const query = new URLSearchParams({
      ...url, from: momentText(from), to: momentText(to), limit: CHUNK_LIMIT, slots,
    });
    this.lastAskedMs = Date.now();
    try {
      const chunk = await this.ask(`/logs/received?${query}`);
      if (ahead !== this.ahead) return false;
      this.isReading = false;
      this.httpError = "";
      this.take(chunk, { from, to, edge, slots });
      this.onChange();
      return true;
    } catch (error) {
      if (ahead !== this.ahead) return false;
      this.isReading = false;
      this.httpError = error.message;
      this.onChange();
      return false;
    }
  }

  take(chunk, { from, to, edge, slots }) {
    if (chunk.isSample && to - from > Math.max(SHORTEST_CHUNK_MS, 1000 * this.speed)) {
      this.spanMs = Math.max(SHORTEST_CHUNK_MS, 1000 * this.speed, (to - from) / 2);
    } else if (chunk.lines.length < CHUNK_LIMIT / 4) {
      this.spanMs = Math.min(this.spanMs * 2, LONGEST_CHUNK_MS * this.speed);
    }
    for (const line of chunk.lines) this.queue.push({ line, receivedMs: readTime(line.observedAt).ms });
    this.isSampled = chunk.isSample;
    const bySlot = new Map();
    for (const count of chunk.counts) {
      if (!bySlot.has(count.slot)) bySlot.set(count.slot, []);
      bySlot.get(count.slot).push(count);
    }
    for (const slot of [...bySlot.keys()].sort((a, b) => a - b)) {
      const endMs = from + Math.ceil(((slot + 1) * (to - from)) / slots);
      this.slots.push({ endMs, counts: bySlot.get(slot) });
    }
    // Until the next line nothing is to be read.
    this.frontier = Math.max(to, chunk.next ? readTime(chunk.next).ms : edge);
  }

  // Tells the counts of a slot to whoever draws them, as a frame of the live feed would.
  count({ endMs, counts }, now) {
    this.counted = endMs;
    const [start, end] = windowOf(this.filter, { ms: endMs, nanos: 0 });
    const meant = counts.filter(
      ({ minute }) => (!start || minute * 1000 + 60_000 > start.ms) && (!end || minute * 1000 < end.ms),
    );
    const environments = new Map();
    for (const { environment, source, severity, minute, count } of meant) {
      if (!environments.has(environment)) environments.set(environment, []);
      environments.get(environment).push({ source, severity, minute, count });
    }
    for (const [environment, parts] of environments) {
      const total = parts.reduce((sum, part) => sum + part.count, 0);
      this.arrivals.push([now, total]);
      const detail = {
        type: "frame", environment, total, counts: parts, lines: [], sentUnixMs: endMs,
        isPlayback: true, isFiltered: true,
      };
      shared.events.dispatchEvent(new CustomEvent("frame", { detail }));
    }
  }
}

// ISO 8601 as the pages write it: no fraction, or six digits.
function momentText(ms) {
  return new Date(ms).toISOString().replace(".000Z", "Z").replace(/(\.\d{3})Z$/, "$1000Z");
}
