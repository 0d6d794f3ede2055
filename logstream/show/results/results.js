// The found lines of Explore. They hold still: only the reader searches again.

const FOUND_KEPT_MS = 10 * 60_000;

class Results extends LineView {
  constructor(key) {
    super(key);
    this.store = new ResultStore();
    this.source = new ResultSource(this.store, () => this.schedule(), (wish) => this.root && this.tell(wish));
    this.source.onFound = () => this.begin();
    this.serviceClock = new ServiceClock();
  }

  // Back from another page, the reader finds lines and place again.
  get keptMs() {
    return FOUND_KEPT_MS;
  }

  // A search begins at the newest line, wherever a live feed has it.
  get isNewestLast() {
    return false;
  }

  get moment() {
    return this.source.moment ?? clockNow();
  }

  get shortcuts() {
    return [...SHORTCUTS, ["r", "search again"]];
  }

  keysFor() {
    return { r: () => this.resume() };
  }

  mountParts(find) {
    this.panel = new NothingFound(find(".panel"), this);
    this.news.onclick = find(".again").onclick = () => this.resume();
    find(".live").onclick = () => this.ask("page", "live", "");
  }

  unmountParts() {
    publishStatus(null);
  }

  // --- what Streamlit says ------------------------------------------------------------------

  use(data, isChanged) {
    const { source } = this;
    if (data.nowUnixMs !== this.toldMs) this.serviceClock.take((this.toldMs = data.nowUnixMs) - Date.now());
    source.hear(data.handed);
    const isAsked = data.searches > (this.searches ?? data.searches);
    this.searches = data.searches;
    if (isChanged) source.use(this.base, data.filter);
    else if (isAsked) this.searchAgain();
  }

  // --- reading ------------------------------------------------------------------------------

  pause() {}

  // As things are now, from the newest line on; counts and facets follow.
  resume() {
    this.searchAgain();
    this.ask("refresh", "", "");
  }

  searchAgain() {
    this.selectedId = this.openId;
    this.source.search();
  }

  // What was found is read from its newest line on.
  begin() {
    this.lastAnchor = null;
    if (!this.list) return;
    this.list.anchor = null;
    this.list.scrollTo(0);
  }

  // Further back, as the end of the list offers it.
  goOn() {
    if (this.source.isFull) this.begin();
    this.source.loadOlder(true);
  }

  scrolled() {
    this.head.follow();
    if (this.list.noteScroll()) this.schedule();
  }

  moveToEnd(direction) {
    this.select(direction < 0 ? 0 : this.list.count - 1);
  }

  // A moment as briefly as it can be said: the day only when it is another one than today.
  momentWords({ ms }) {
    const day = this.clock.date(ms);
    const time = this.clock.time(ms).slice(0, 8);
    return day === this.clock.date(pageClock.now()) ? time : `${day} ${time}`;
  }

  // --- drawing -----------------------------------------------------------------------------------

  paintAround() {
    const { source, list } = this;
    showAroundResults(this);
    publishStatus(this.status());
    const left = list.heights.total - list.scrollTop - list.height;
    if (this.store.rows.length && left < 2 * list.height) source.loadOlder();
    const found = countWords(source);
    if (found && !source.isSearching) setText(this.said, `${found} found`);
  }

  status() {
    const { source } = this;
    if (source.httpError) {
      return { state: "degraded", rung: "", words: "not answered", sentence: `${source.httpError}.` };
    }
    if (!source.hasLoaded || source.isSearching) {
      return { state: "connecting", rung: "", words: "searching", sentence: "The lines are being searched." };
    }
    const moment = this.momentWords(source.moment);
    return { state: "paused", rung: "", words: `as of ${moment}`, sentence: "What was found holds still. Click to search again." };
  }

  tick() {
    this.source.tick();
    this.head.renewAges();
    writeUrl(this);
    this.fit();
    this.schedule();
  }
}

export default function (component) {
  return mountView(component, (key) => new Results(key));
}
