// Where lines come from: the push hub's socket, and HTTP for what a push cannot give (the first
// load, holes, older lines, one whole line). The socket opens before the first fetch, so that
// nothing falls between the two.

const RECENT_LIMIT = 500;
const PAGE_LIMIT = 1000;
const PAGES_PER_HOLE = 2;
const WIDEST_HOLE = 100_000; // ids of one question; the service answers no wider ones
const MOST_ENVIRONMENTS = 100; // the hub takes no more by name; the filter sorts them out then
const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 15_000;
const TRIES_BEFORE_POLLING = 3;
const POLL_MS = 2000;
const QUIET_MS = 10_000; // without lines for so long, a feed is "listening"
const SPOOL_LANDS_MS = 30_000; // after an outage, lines in the spool get their ids within
// A socket can die without a word, and nothing is pushed while the database is away: ask HTTP soon
// after a stream falls silent, then now and then.
const CHECK_SILENCE_MS = 5000;
const CHECK_QUIET_MS = 15_000;
const RATE_WINDOW_MS = 5000;

class LogSource {
  constructor(store, onChange) {
    this.store = store;
    this.onChange = onChange;
    this.socket = null;
    this.isOpen = false;
    this.tries = 0;
    this.hasLoaded = false;
    this.httpError = ""; // why the last HTTP question failed
    this.isFromMemory = false; // the database is away: the service answers from its memory
    this.memoryEndedMs = 0;
    this.lastFrameMs = 0;
    this.lastAskedMs = 0;
    this.openedMs = 0;
    this.arrivals = []; // [ms, lines] of the last seconds
    this.sequences = new Map(); // publisher/environment → {sequence, lastId}
    this.holes = []; // [first id, last id] to fetch
    this.skipped = 0; // lines of holes too wide to fetch
    this.generation = 0;
    this.isOver = false;
    this.hasAllOlder = false;
    this.pass = ""; // lets us in at the service
  }

  // `filter` as feed.py sends it; a changed list of environments needs another socket.
  use(base, filter) {
    const environments = JSON.stringify(filter.environment.only);
    const reconnect = base !== this.base || environments !== this.environments;
    this.base = base;
    this.environments = environments;
    this.filter = filter;
    this.generation++;
    this.holes = [];
    this.hasAllOlder = false;
    this.hasLoaded = false;
    if (reconnect) {
      this.dropSocket();
      this.tries = 0;
      this.connect();
      // A hub that is slow to answer must not hold the first lines back.
      clearTimeout(this.firstTimer);
      this.firstTimer = setTimeout(() => this.hasLoaded || this.catchUp(), 700);
    } else {
      this.catchUp();
    }
  }

  end() {
    this.isOver = true;
    this.dropSocket();
    clearTimeout(this.firstTimer);
  }

  dropSocket() {
    clearTimeout(this.retryTimer);
    this.isOpen = false;
    this.sequences.clear();
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  // --- the socket -----------------------------------------------------------------------

  async connect() {
    this.dropSocket();
    const generation = (this.connection = (this.connection ?? 0) + 1);
    const environments = JSON.parse(this.environments);
    let url;
    try {
      const reply = await this.ask("/realtime/negotiate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ env: environments.length <= MOST_ENVIRONMENTS ? environments : [] }),
      });
      url = reply.url;
    } catch (error) {
      if (generation === this.connection) this.retry();
      return;
    }
    if (generation !== this.connection || this.isOver) return;
    let socket;
    try {
      socket = this.socket = new WebSocket(url, "json.webpubsub.azure.v1");
    } catch {
      this.retry();
      return;
    }
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => {
      this.isOpen = false;
      this.socket = null;
      this.retry();
    };
  }

  retry() {
    if (this.isOver) return;
    clearTimeout(this.retryTimer);
    const wait = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.tries);
    this.tries++;
    this.sequences.clear();
    this.retryTimer = setTimeout(() => this.connect(), wait * (0.5 + Math.random() / 2));
    this.onChange();
  }

  receive(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.type === "system" && message.event === "connected") {
      this.isOpen = true;
      this.openedMs = Date.now();
      this.arrivals = [];
      this.tries = 0;
      this.catchUp();
    } else if (message.type === "message" && message.data?.type === "frame") {
      this.readFrame(message.data);
    }
  }

  readFrame(frame) {
    const now = Date.now();
    this.lastFrameMs = now;
    shared.events.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    this.arrivals.push([now, frame.total]);
    const key = `${frame.publisher}/${frame.environment}`;
    const before = this.sequences.get(key);
    if (before && frame.sequence > before.sequence + 1) {
      this.addHole(before.lastId + 1, frame.firstId - 1);
    } else if (!before && frame.sequence > 1 && this.sequences.size > 0) {
      this.catchUp(); // a publisher we never heard of has already spoken
    }
    if (!before || frame.sequence > before.sequence) {
      this.sequences.set(key, { sequence: frame.sequence, lastId: frame.lastId });
    }
    const { text } = this.filter;
    const hasWords = text.include.length || text.exclude.length;
    const isUnsure = (line) =>
      (hasWords && line.messageBytes !== undefined) || isBeyondFrame(text, line);
    this.store.add(frame.lines.filter((line) => !isUnsure(line)));
    // What is asked for may stand in what the frame left out of a long line: ask the database.
    for (const line of frame.lines.filter(isUnsure)) this.addHole(line.id, line.id);
    if (frame.total > frame.lines.length && this.meansSomeOf(frame)) {
      this.addHole(frame.firstId, frame.lastId);
    }
    this.onChange();
  }

  // The counts tell, without asking, that a capped frame holds nothing for this filter.
  meansSomeOf(frame) {
    const { environment, service, severity } = this.filter;
    return (
      allows(environment, frame.environment) &&
      // With very many services the counts are capped too.
      (frame.uncounted > 0 || frame.counts.some((c) => allows(service, c.source) && allows(severity, c.severity)))
    );
  }

  // --- HTTP -----------------------------------------------------------------------------

  async ask(path, options = {}, onReply = () => {}) {
    let reply;
    try {
      const headers = { ...options.headers, ...(this.pass && { authorization: `Bearer ${this.pass}` }) };
      reply = await fetch(this.base + path, { ...options, headers, signal: AbortSignal.timeout(10_000) });
    } catch {
      throw new Error(`${this.base} does not answer`);
    }
    const body = await reply.json().catch(() => null);
    if (!reply.ok || body === null) {
      const { message, hint } = body?.error ?? {};
      const error = new Error([message ?? `${path} answered ${reply.status}`, hint].filter(Boolean).join("; "));
      error.status = reply.status;
      throw error;
    }
    onReply(reply);
    return body;
  }

  recent(parameters, filterUrl = this.filter.url) {
    const query = new URLSearchParams({ ...filterUrl, ...parameters });
    return this.ask(`/logs/recent?${query}`, {}, (reply) => this.noteSource(reply));
  }

  noteSource(reply) {
    const isFromMemory = reply.headers.get("x-logstream-source") === "memory";
    if (this.isFromMemory && !isFromMemory) {
      this.memoryEndedMs = Date.now();
      this.hasAllOlder = false;
    }
    this.isFromMemory = isFromMemory;
  }

  line(id) {
    return this.ask(`/logs/${id}`);
  }

  // {before, line, after}: the lines around one in time.
  context(id, parameters) {
    return this.ask(`/logs/${id}/context?${new URLSearchParams(parameters)}`);
  }

  // How many lines a filter, as URL parameters, means.
  async counted(url) {
    const breakdown = await this.ask(`/logs/severity-breakdown?${new URLSearchParams(url)}`);
    return breakdown.reduce((sum, { count }) => sum + count, 0);
  }

  async catchUp() {
    const generation = this.generation;
    this.lastAskedMs = Date.now();
    let found = 0;
    try {
      const lines = await this.recent({ limit: RECENT_LIMIT });
      if (generation !== this.generation) return 0;
      found = this.hasLoaded
        ? this.store.addNewest(lines, RECENT_LIMIT)
        : this.store.addNewest(lines, RECENT_LIMIT, { evenWhilePaused: true });
      if (!this.hasLoaded) this.hasAllOlder = !this.isFromMemory && lines.length < RECENT_LIMIT;
      this.hasLoaded = true;
      this.httpError = "";
    } catch (error) {
      if (generation === this.generation) this.httpError = error.message;
    }
    this.onChange();
    return found;
  }

  addHole(first, last) {
    if (last < first) return;
    const near = this.holes.find((hole) => first <= hole[1] + 1000 && last >= hole[0] - 1000);
    if (near) {
      near[0] = Math.min(near[0], first);
      near[1] = Math.max(near[1], last);
    } else {
      this.holes.push([first, last]);
    }
    this.fillHoles();
  }

  // One question at a time and at most one round a second: holes of a burst are asked together.
  async fillHoles() {
    if (this.isFilling) return;
    this.isFilling = true;
    try {
      while (this.holes.length && !this.isOver) {
        const [first, last] = this.holes[0];
        const generation = this.generation;
        this.holes.shift();
        try {
          await this.fillHole(first, last, generation);
        } catch (error) {
          if (generation === this.generation) {
            this.httpError = error.message;
            this.holes.push([first, last]);
          }
          break; // the next tick tries again
        }
        this.onChange();
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    } finally {
      this.isFilling = false;
    }
  }

  async fillHole(first, last, generation) {
    let to = last;
    if (last - first >= WIDEST_HOLE) {
      this.skipped += last - first + 1 - WIDEST_HOLE;
      first = last - WIDEST_HOLE + 1;
    }
    for (let page = 0; page < PAGES_PER_HOLE; page++) {
      const lines = await this.recent({ fromId: first, toId: to, limit: PAGE_LIMIT });
      if (generation !== this.generation) return;
      this.store.add(lines);
      this.httpError = "";
      if (lines.length < PAGE_LIMIT) return;
      to = Math.min(...lines.map((line) => line.id)) - 1;
      if (to < first) return;
    }
    this.skipped += to - first + 1;
  }

  // Older lines than those loaded; gives false when there are none.
  async loadOlder() {
    const oldest = this.store.rows[0];
    if (!oldest || this.isLoadingOlder || this.hasAllOlder || this.store.rows.length >= MAX_ROWS) return;
    this.isLoadingOlder = true;
    const generation = this.generation;
    try {
      const url = { ...this.filter.url };
      if (this.filter.rangeSeconds) {
        url.from = new Date(windowOf(this.filter, clockNow())[0].ms).toISOString();
        delete url.range;
      }
      // `to` excludes its moment and knows microseconds; duplicates fall away by id.
      const micros = Math.floor(oldest.nanos / 1000) + 1;
      url.to = `${new Date(oldest.ms + (micros > 999 ? 1 : 0)).toISOString().slice(0, -1)}${three(micros % 1000)}Z`;
      const lines = await this.recent({ limit: RECENT_LIMIT }, url);
      if (generation !== this.generation) return;
      const found = this.store.add(lines, { evenWhilePaused: true });
      // Memory never reaches back far; when the database is back, it is asked.
      if (!found || lines.length < RECENT_LIMIT) this.hasAllOlder = true;
      this.httpError = "";
    } catch (error) {
      this.httpError = error.message;
    } finally {
      this.isLoadingOlder = false;
      this.onChange();
    }
  }

  // --- once a second --------------------------------------------------------------------

  tick() {
    const now = Date.now();
    while (this.arrivals.length && this.arrivals[0][0] < now - RATE_WINDOW_MS) this.arrivals.shift();
    const asked = now - this.lastAskedMs;
    if (this.memoryEndedMs && !this.store.isPaused && now - this.memoryEndedMs >= SPOOL_LANDS_MS) {
      this.memoryEndedMs = 0;
      if (!this.isFromMemory) this.store.forgetSpooled();
    }
    if (this.isFromMemory) {
      // Nothing is pushed before it has landed.
      if (asked >= POLL_MS) this.catchUp();
    } else if (!this.isOpen && this.tries >= TRIES_BEFORE_POLLING) {
      if (asked >= POLL_MS) this.catchUp();
    } else if (this.isOpen && this.httpError && asked >= 5000) {
      this.catchUp();
    } else if (this.isOpen && now - Math.max(this.lastFrameMs, this.lastAskedMs) >= this.quietMs) {
      this.checkQuiet();
    }
    if (this.holes.length) this.fillHoles();
  }

  get quietMs() {
    return this.lastFrameMs > this.lastAskedMs ? CHECK_SILENCE_MS : CHECK_QUIET_MS;
  }

  // Lines that HTTP knows and the socket did not bring: the socket is dead, take another.
  async checkQuiet() {
    const before = this.lastFrameMs;
    if (!(await this.catchUp())) return;
    setTimeout(() => {
      if (this.lastFrameMs !== before || !this.isOpen || this.isOver) return;
      this.dropSocket();
      this.connect();
    }, 2000);
  }

  // A tab that was asleep, or a network that came back: do not wait out the back-off.
  wake() {
    if (this.isOpen || this.isOver || this.tries === 0) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  get linesPerSecond() {
    const total = this.arrivals.reduce((sum, [, lines]) => sum + lines, 0);
    const open = Math.min(RATE_WINDOW_MS, Math.max(1000, Date.now() - this.openedMs));
    return total / (open / 1000);
  }

  get state() {
    if (this.isFromMemory && !this.httpError) return "spooling";
    if (this.isOpen) {
      if (this.httpError) return "degraded";
      return Date.now() - this.lastFrameMs < QUIET_MS ? "live" : "listening";
    }
    if (this.tries >= TRIES_BEFORE_POLLING) return this.httpError ? "degraded" : "polling";
    return this.tries ? "reconnecting" : "connecting";
  }
}
