// Where lines come from: frames of the push hub, whichever way they reach us, and HTTP for what
// a push cannot give (the first load, holes, older lines, one whole line). The connection opens
// before the first fetch, so that nothing falls between the two.

const MOST_ENVIRONMENTS = 100; // the hub takes no more by name; the filter sorts them out then
const POLL_MS = 2000;
const QUIET_MS = 10_000; // without lines for so long, a feed is "listening"
const SPOOL_LANDS_MS = 30_000; // after an outage, lines in the spool get their ids within
// A socket can die without a word, and nothing is pushed while the database is away: ask HTTP soon
// after a stream falls silent, then now and then.
const CHECK_SILENCE_MS = 5000;
const CHECK_QUIET_MS = 15_000;
const FIRST_LINES_MS = 700; // a hub that is slow to answer must not hold them back
const MOST_QUEUED = 64; // frames, in a tab whose timers sleep
const ASK_ABOUT_PROBLEM_MS = 20_000;
const UNREAD_IDS = 20_000; // two blocks: each process that lands takes ids by the ten thousand

class LogSource extends LineReader {
  constructor(store, onChange, tell = () => {}) {
    super(store, onChange);
    this.hub = new HubClient({
      negotiate: () => this.negotiate(),
      onData: (data) => this.receive(data),
      onOpen: (isGapless) => this.opened(isGapless),
      onChange: () => this.changed(),
      onSlow: () => this.speed.lighten(),
    });
    this.lower = new LowerRungs(this, tell);
    this.clock = new ServiceClock();
    this.speed = new LineSpeed();
    this.sampling = new Sampling();
    this.problem = ""; // why pushing fails, in the service's words
    this.lastFrameMs = 0;
    this.askedProblemMs = 0;
    this.queue = []; // frames not yet read
    this.heard = new Heard();
    this.tornFrom = null; // after a cut: from which id on lines may have passed unheard
    this.holes = new Holes(this);
  }

  // `filter` as feed.py sends it; a changed list of environments needs another connection.
  use(base, filter) {
    const environments = JSON.stringify(filter.environment.only);
    const reconnect = base !== this.base || environments !== this.environments;
    this.base = base;
    this.environments = environments;
    this.filter = filter;
    this.generation++;
    this.holes.forget();
    this.sampling.forget();
    this.hasAllOlder = false;
    this.hasLoaded = false;
    this.tornFrom = null;
    if (reconnect) {
      this.heard.forget();
      this.queue = [];
      this.hub.open();
      clearTimeout(this.firstTimer);
      this.firstTimer = setTimeout(() => this.hasLoaded || this.catchUp(), FIRST_LINES_MS);
    } else {
      this.catchUp();
    }
  }

  end() {
    this.isOver = true;
    this.hub.end();
    this.lower.end();
    clearTimeout(this.firstTimer);
    clearTimeout(this.drainTimer);
  }

  // --- connection -------------------------------------------------------------------------

  async negotiate() {
    const environments = JSON.parse(this.environments);
    const sentMs = Date.now();
    const reply = await this.ask("/realtime/negotiate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        env: environments.length <= MOST_ENVIRONMENTS ? environments : [],
        light: this.speed.isLight,
      }),
    }).catch((error) => {
      if (error.code === "push_failed") this.problem = error.message;
      throw error;
    });
    this.askedProblemMs = performance.now();
    this.problem = reply.problem ?? "";
    if (this.clock.note(reply.nowUnixMs, sentMs, Date.now()) && this.hasLoaded) this.catchUp();
    return reply;
  }

  noteServiceTime(unixMs) {
    if (this.clock.offsetMs === null) this.clock.noteFrame(unixMs);
  }

  opened(isGapless) {
    if (!isGapless) this.reopened();
    this.changed();
  }

  // Frames may have passed unheard. A publisher that goes on shows it by its sequence, one that
  // is new (the service restarted) does not.
  reopened() {
    this.sampling.since = performance.now();
    this.tear();
    this.catchUp();
  }

  tear() {
    if (this.hasLoaded) this.tornFrom = Math.min(this.tornFrom ?? Infinity, this.heard.from);
  }

  changed() {
    this.lower.choose();
    this.onChange();
  }

  // --- frames -----------------------------------------------------------------------------

  // Frames that came together are read together: a tab that wakes up has hundreds.
  receive(data) {
    if (data?.type !== "frame") return;
    this.queue.push(data);
    if (this.queue.length >= MOST_QUEUED) this.drain();
    else this.drainTimer ??= setTimeout(() => this.drain());
  }

  drain() {
    clearTimeout(this.drainTimer);
    this.drainTimer = null;
    const lines = [];
    for (const frame of this.queue.splice(0)) this.readFrame(frame, lines);
    this.store.add(lines.length > MAX_ROWS ? lines.slice(-MAX_ROWS) : lines);
    this.onChange();
  }

  readFrame(frame, lines) {
    const news = this.heard.note(frame);
    // Two connections while one takes the other's place, or a recovery, say things twice.
    if (news.isOld) return;
    this.lastFrameMs = Date.now();
    this.problem = "";
    this.judge(frame);
    shared.events.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    if (news.hole) this.holes.add(...news.hole);
    if (news.isStranger) {
      this.tornFrom = Math.min(this.tornFrom ?? Infinity, news.from);
      this.catchUpSoon();
    }
    for (const line of frame.lines) {
      // What is asked for may stand in what the frame left out of a long line: ask the database.
      if (textVerdict(this.filter.text, line) === undefined) {
        this.holes.add(line.id, line.id, { expected: 1, frame });
      } else {
        lines.push(line);
      }
    }
    this.weigh(frame);
  }

  judge(frame) {
    if (this.clock.noteFrame(frame.sentUnixMs) && this.hasLoaded) this.catchUpSoon();
    if (this.rung !== "push") return;
    if (this.speed.noteFrame(this.clock.ageOf(frame.sentUnixMs))) this.hub.reach();
  }

  // The counts tell, without asking, how much of a sampled frame this filter means; which of
  // it is fetched, the rate decides.
  weigh(frame) {
    const { filter } = this;
    if (!allows(filter.environment, frame.environment)) {
      this.sampling.note(frame, 0, 0, true);
      return;
    }
    const means = (line) => allows(filter.service, line.source) && allows(filter.severity, line.severity);
    const hasNames = [filter.service, filter.severity].some((choice) => choice.only.length + choice.excluded.length);
    const { text, traceId } = filter;
    const hasText = Boolean(traceId) || text.terms.length > 0;
    // With very many services the counts are capped too.
    const counted = frame.counts.reduce((sum, entry) => sum + (means(entry) ? entry.count : 0), 0);
    const matching = hasNames ? counted + (frame.uncounted ?? 0) : frame.total;
    const shown = frame.lines.reduce((sum, line) => sum + (means(line) ? 1 : 0), 0);
    const missing = Math.max(0, matching - shown);
    const isExact = !hasText && (!hasNames || !frame.uncounted);
    const isAsked = !missing || hasText || this.sampling.isWorthAsking(frame, matching);
    this.sampling.note(frame, matching, isAsked ? matching : shown, isExact);
    if (!missing) return;
    if (isAsked) this.holes.add(frame.firstId, frame.lastId, { expected: missing, frame: hasText ? frame : null });
    else this.sampling.leaveOut(frame.firstId, frame.lastId, missing);
  }

  get skipped() {
    return this.sampling.skipped;
  }

  get sampled() {
    return this.sampling.words;
  }

  get canLoadRest() {
    return !this.sampling.loading && this.sampling.lost > 0;
  }

  loadRest() {
    const generation = this.generation;
    const fetchPage = async (first, last) => {
      const lines = await this.recent({ fromId: first, toId: last, limit: PAGE_LIMIT });
      if (generation !== this.generation) throw new Error("another filter");
      const found = this.store.add(lines);
      const reached = lines.length < PAGE_LIMIT ? null : Math.min(...lines.map((line) => line.id));
      return { found, reached: reached === first ? null : reached };
    };
    return this.sampling.load(fetchPage, () => this.onChange());
  }

  // --- what HTTP gives ---------------------------------------------------------------------

  catchUpSoon() {
    this.catchUpTimer ??= setTimeout(() => {
      this.catchUpTimer = null;
      if (!this.isOver) this.catchUp();
    }, 500);
  }

  async catchUp() {
    const generation = this.generation;
    this.lastAskedMs = Date.now();
    let found = 0;
    try {
      const limit = this.isLight ? RECENT_LIMIT_LIGHT : RECENT_LIMIT;
      const lines = await this.recent({ limit });
      if (generation !== this.generation) return 0;
      found = this.takeNewest(lines, lines.length < limit ? 0 : Infinity);
      this.httpError = "";
    } catch (error) {
      if (generation === this.generation) this.httpError = error.message;
    }
    this.onChange();
    return found;
  }

  // The newest lines; what may lie between them and what is loaded is fetched by id.
  // `wholeFrom`: the id from which on `lines` leave none out.
  takeNewest(lines, wholeFrom) {
    const newest = lines.reduce((highest, { id }) => Math.max(highest, id ?? 0), 0);
    let found;
    if (!this.hasLoaded) {
      found = this.store.addNewest(lines, wholeFrom ? Math.max(1, lines.length) : Infinity, { evenWhilePaused: true });
      this.hasAllOlder = !this.isFromMemory && wholeFrom === 0;
      this.hasLoaded = true;
    } else {
      found = this.store.add(lines);
      // A frame of the new connection may have brought all of these, and none of those before.
      const from = this.tornFrom ?? (found ? this.heard.from : Infinity);
      if (this.isFromMemory) return found;
      // A late line that came last in a cut has a higher id than the newest of all.
      const to = this.tornFrom === null ? newest : Math.max(newest, from) + UNREAD_IDS;
      this.holes.add(from, Math.min(to, wholeFrom - 1));
    }
    if (!this.isFromMemory) {
      this.tornFrom = null;
      this.heard.reach(newest);
    }
    return found;
  }

  // --- the dashboard's process ------------------------------------------------------------

  // What Python hands over on the lower rungs.
  hear(handed) {
    this.lower.hear(handed);
    this.onChange();
  }

  takePolled({ lines, wholeFromId, pollError }) {
    if (pollError) {
      // The service may still have the last lines in its memory.
      if (!this.isFromMemory) this.catchUp();
      return;
    }
    this.lastAskedMs = Date.now();
    this.noteMemory(false);
    this.takeNewest(lines, wholeFromId ?? Infinity);
    this.httpError = "";
    this.onChange();
  }

  // --- once a second --------------------------------------------------------------------

  tick() {
    const now = Date.now();
    this.sampling.tick();
    this.lower.tick();
    const asked = now - this.lastAskedMs;
    if (this.memoryEndedMs && !this.store.isPaused && now - this.memoryEndedMs >= SPOOL_LANDS_MS) {
      this.memoryEndedMs = 0;
      if (!this.isFromMemory) this.store.forgetSpooled();
    }
    if (this.isFromMemory) {
      // Nothing is pushed before it has landed.
      if (asked >= POLL_MS) this.catchUp();
    } else if (this.lower.wanted !== "push" && !this.isOpen) {
      if (asked >= POLL_MS && !this.lower.isPolling) this.catchUp();
    } else if (this.isOpen && this.httpError && asked >= 5000) {
      this.catchUp();
    } else if (this.isOpen && now - Math.max(this.lastFrameMs, this.lastAskedMs) >= this.quietMs) {
      this.checkQuiet();
    }
    if (this.problem && this.hub.isOpen && performance.now() - this.askedProblemMs >= ASK_ABOUT_PROBLEM_MS) {
      this.askedProblemMs = performance.now();
      this.hub.reach();
    }
    this.holes.fill();
  }

  get quietMs() {
    return this.lastFrameMs > this.lastAskedMs ? CHECK_SILENCE_MS : CHECK_QUIET_MS;
  }

  // Lines that HTTP knows and the connection did not bring: it is dead, take another.
  async checkQuiet() {
    const before = this.lastFrameMs;
    if (!(await this.catchUp())) return;
    setTimeout(() => {
      if (this.lastFrameMs === before && this.hub.isOpen && !this.isOver) this.hub.open();
    }, 2000);
  }

  // A tab that was asleep, or a network that came back.
  wake() {
    if (this.isOver) return;
    this.hub.wake();
    if (this.rung !== "push") this.catchUpSoon();
  }

  get linesPerSecond() {
    return this.sampling.rates.total;
  }

  // --- what it is, in a word ---------------------------------------------------------------

  get rung() {
    if (this.hub.isOpen && !this.problem) return "push";
    if (this.lower.wanted === "relay" && this.lower.isListening) return "relay";
    return this.lower.wanted === "push" ? "push" : "poll";
  }

  get isOpen() {
    return this.rung === "relay" || (this.rung === "push" && this.hub.isOpen);
  }

  get isLight() {
    return this.speed.isLight;
  }

  get state() {
    if (this.isFromMemory && !this.httpError) return "spooling";
    if (this.isOpen) {
      if (this.httpError) return "degraded";
      return Date.now() - this.lastFrameMs < QUIET_MS ? "live" : "listening";
    }
    if (this.lower.wanted !== "push") return this.httpError ? "degraded" : "polling";
    return this.hub.tries ? "reconnecting" : "connecting";
  }
}
