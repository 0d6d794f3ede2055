// What every source of lines asks over HTTP, live or of the past: recent lines, one whole line,
// older ones than those loaded.

const RECENT_LIMIT = 500;
const RECENT_LIMIT_LIGHT = 100; // a slow connection carries no more in time

class LineReader {
  constructor(store, onChange) {
    this.store = store;
    this.onChange = onChange;
    this.questions = new Questions();
    this.hasLoaded = false;
    this.httpError = ""; // why the last question failed
    this.isFromMemory = false; // the database is away: the service answers from its memory
    this.memoryEndedMs = 0;
    this.lastAskedMs = 0;
    this.generation = 0;
    this.isOver = false;
    this.hasAllOlder = false;
  }

  get pass() {
    return this.questions.pass;
  }

  set pass(pass) {
    this.questions.pass = pass;
  }

  get base() {
    return this.questions.base;
  }

  set base(base) {
    this.questions.use(base);
  }

  // What Python hands over; only the live source wants anything.
  hear() {}

  ask(path, options, onReply) {
    return this.questions.ask(path, options, onReply);
  }

  recent(parameters, filterUrl = this.filter.url) {
    const query = new URLSearchParams({ ...filterUrl, ...parameters });
    return this.ask(`/logs/recent?${query}`, {}, (reply) =>
      this.noteMemory(reply.headers.get("x-logstream-source") === "memory"));
  }

  noteMemory(isFromMemory) {
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
}
