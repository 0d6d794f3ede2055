// The lines that were found: page by page at the service's cursor, as of the moment of the search.
// Nothing is added by itself; how many newer lines there are is asked now and then.

const PAGE_LIMIT = 200;
const NEWER_EVERY_MS = 5000;
const COUNTING_SHARE = 20; // at most a twentieth of the time goes into counting newer lines
const SEARCH_AGAIN_MS = 3000; // after a failure
const HANDED_MS = 15_000;

class ResultStore extends LineStore {
  // What was found holds still.
  get isPaused() {
    return true;
  }

  // The search decided; a line in a list may be cut, and no longer tell.
  means() {
    return true;
  }
}

class ResultSource extends LineReader {
  // `tell(wish)`: what we want of the dashboard's process while the service is away.
  constructor(store, onChange, tell) {
    super(store, onChange);
    this.tell = tell;
    this.onFound = () => {}; // the first page of another search is there
    this.turn = 0;
    this.isSearching = false;
    this.forget();
  }

  forget() {
    this.cursor = "";
    this.searchedTo = null; // ISO 8601; null: everything there is
    this.isComplete = true; // false: time was over before the page was full
    this.matches = null; // lines meant, and lines of that time; null: not known
    this.all = null;
    this.newer = 0;
    this.newerEveryMs = NEWER_EVERY_MS;
    this.olderThan = null; // newer lines than this row were let go, for memory
    this.hasAllOlder = false;
    this.isLoadingOlder = false;
  }

  // --- the interface of a source --------------------------------------------------------

  use(base, filter) {
    this.base = base;
    this.filter = filter;
    return this.search();
  }

  end() {
    this.isOver = true;
    this.generation++;
  }

  catchUp() {
    return this.search();
  }

  wake() {
    this.countedNewerMs = 0;
    this.tick();
  }

  get state() {
    return this.httpError ? "degraded" : "still";
  }

  tick() {
    if (this.isOver || document.hidden || this.isSearching) return;
    const now = performance.now();
    // What was refused once will be refused again.
    if (this.httpError && !this.isRefused && now - this.failedMs > SEARCH_AGAIN_MS) {
      if (this.hasLoaded) this.loadOlder(true);
      else this.search();
    }
    const moves = this.filter.rangeSeconds && !this.filter.atUnixNano;
    if (moves && this.hasLoaded && now - (this.countedNewerMs ?? 0) > this.newerEveryMs) this.countNewer();
  }

  // --- searching ----------------------------------------------------------------------------

  // From the newest on, as things are now. The lines of before stay until the answer is there.
  async search() {
    const generation = ++this.generation;
    this.forget();
    this.moment = clockNow();
    this.window = windowOf(this.filter, this.moment);
    this.url = this.held(this.filter.url);
    this.isSearching = true;
    this.httpError = "";
    this.countedNewerMs = performance.now();
    this.onChange();
    this.count(generation);
    try {
      const page = await this.page("");
      if (generation !== this.generation) return;
      this.store.clear();
      this.take(page);
      this.hasLoaded = true;
      this.onFound();
    } catch (error) {
      if (generation !== this.generation) return;
      this.store.clear();
      this.hasLoaded = false;
      this.fail(error);
    }
    this.isSearching = false;
    this.onChange();
  }

  // A filter's URL whose relative range stands still.
  held(url) {
    const held = { ...url };
    if (!this.filter.rangeSeconds || !("range" in url)) return held;
    delete held.range;
    const [start, end] = this.window;
    held.from = microsOf(start, 0);
    held.to = microsOf(end, 0);
    return held;
  }

  take(page) {
    this.store.add(page.logs, { evenWhilePaused: true });
    this.cursor = page.cursor;
    this.searchedTo = page.searchedTo;
    this.isComplete = page.complete;
    this.hasAllOlder = page.cursor === null;
    this.httpError = "";
  }

  fail(error) {
    this.httpError = error.message;
    this.isRefused = error.status >= 400 && error.status < 500 && error.status !== 429;
    this.failedMs = performance.now();
  }

  get isFull() {
    return this.store.rows.length + PAGE_LIMIT > MAX_ROWS;
  }

  // The next page. A search that ran out of time, or of memory, goes on only when asked.
  async loadOlder(isAsked = false) {
    if (this.isLoadingOlder || this.isSearching || !this.hasLoaded || this.hasAllOlder) return;
    if (!isAsked && (!this.isComplete || this.isFull || this.httpError)) return;
    if (this.isFull) {
      this.olderThan = this.store.rows[0];
      this.store.clear();
    }
    const { generation } = this;
    this.isLoadingOlder = true;
    this.onChange();
    try {
      const page = await this.page(this.cursor);
      if (generation !== this.generation) return;
      this.take(page);
    } catch (error) {
      if (generation !== this.generation) return;
      this.fail(error);
    }
    this.isLoadingOlder = false;
    this.onChange();
  }

  async page(cursor) {
    const query = { ...this.url, limit: PAGE_LIMIT, ...(cursor && { cursor }) };
    try {
      return await this.ask(`/logs/search?${new URLSearchParams(query)}`);
    } catch (error) {
      if (error.status) throw error;
      return this.handed(cursor, error);
    }
  }

  // Nobody answers for the service: the dashboard asks the database itself.
  handed(cursor, error) {
    const turn = ++this.turn;
    return new Promise((resolve, reject) => {
      this.awaited = { turn, resolve, reject };
      this.tell({ turn, cursor, filter: this.url });
      setTimeout(() => reject(error), HANDED_MS);
    });
  }

  hear(handed) {
    if (!handed || handed.turn !== this.awaited?.turn) return;
    const { resolve, reject } = this.awaited;
    this.awaited = null;
    if (handed.page) resolve(handed.page);
    else reject(new Error(handed.problem));
    this.tell(null);
  }

  // --- counting -----------------------------------------------------------------------------

  async count(generation) {
    const all = { ...this.url };
    for (const name of ["service", "severity", "trace", "q"]) delete all[name];
    const ask = async (url, note) => {
      const count = await this.counted(url).catch(() => null);
      if (generation !== this.generation) return;
      note(count);
      this.onChange();
    };
    await ask(this.url, (count) => (this.matches = count));
    const isNarrowed = Object.keys(all).length < Object.keys(this.url).length;
    if (isNarrowed && generation === this.generation) await ask(all, (count) => (this.all = count));
  }

  async countNewer() {
    const { generation } = this;
    const { rows } = this.store;
    const begun = performance.now();
    this.countedNewerMs = Infinity; // one at a time
    // Clocks that run ahead must not hide what comes now.
    const newest = rows[rows.length - 1];
    const isAhead = !newest || this.olderThan || compareTimes(newest, this.moment) > 0;
    const since = isAhead ? this.moment : newest;
    const known = rows.length - lowerBound(rows, { ...since, id: isAhead ? 0 : Infinity });
    const url = { ...this.filter.url, from: microsOf(since, isAhead ? 0 : 1) };
    delete url.range;
    const count = await this.counted(url).catch(() => null);
    const now = performance.now();
    if (generation !== this.generation) return;
    this.newerEveryMs = Math.max(NEWER_EVERY_MS, COUNTING_SHARE * (now - begun));
    this.countedNewerMs = now;
    if (count !== null) this.newer = Math.max(0, count - known);
    this.onChange();
  }
}
