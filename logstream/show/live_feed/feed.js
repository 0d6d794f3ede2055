// The live feed: the newest lines as they come, or the past as it came.

const SAY_EVERY_MS = 10_000;

class Feed extends Pausing {
  constructor(key) {
    super(key);
    this.store = new LineStore();
    this.source = this.liveSource();
    this.player = new Player(this);
    this.store.onLanded = (ours, id) => this.landed(ours, id);
    this.store.onSettled = () => this.schedule();
    this.aim = new Aim(this.store);
    this.publishers = new Map(); // publisher → when it was last heard
    shared.events.addEventListener("frame", ({ detail }) => this.heard(detail));
    this.visit = new Visit(this);
    this.marks = new Bands(this);
    this.saidAt = 0;
    this.unsaid = 0;
  }

  liveSource() {
    return new LogSource(this.store, () => this.schedule(), (wish) => this.root && this.tell(wish));
  }

  get shortcuts() {
    return [...SHORTCUTS, ...FEED_SHORTCUTS];
  }

  get canTurnAround() {
    return true;
  }

  get isPlaying() {
    return this.player.isOn;
  }

  readMoment() {
    this.player.readUrl();
  }

  writeMoment() {
    this.player.writeUrl();
  }

  // --- mounting ---------------------------------------------------------------------------

  mountParts(find) {
    this.sampled = find(".sampled");
    this.pauseButton = find(".pause");
    this.since = find(".since");
    this.panel = new Panel(find(".panel"), this);
    this.pauseButton.onclick = () => this.togglePause();
    this.news.onclick = () => this.resume();
    this.since.onclick = () => this.visit.jump();
    find(".explore").onclick = () => this.ask("page", "explore", "");
    this.on(this.scroller, "wheel", (event) => this.wheeled(event), { passive: true });
    this.on(this.scroller, "pointerdown", (event) => event.target.closest(".row") && this.aim.pressed());
    this.on(this.scroller, "pointermove", (event) => this.aim.moved(event), { passive: true });
    this.on(this.scroller, "pointerleave", () => this.aim.isPressed || this.aim.letGo());
    this.on(document, "pointerup", () => setTimeout(() => this.aim.released()));
    this.on(document, "pointercancel", () => this.aim.released());
    this.on(document, "selectionchange", () => this.hasSelection() && this.pause("selection"));
    this.player.mount(find(".player"));
  }

  unmountParts() {
    this.aim.letGo();
    this.player.unmount();
  }

  cameIntoView() {
    this.visit.begin();
    this.source.wake();
  }

  // --- what Streamlit says ------------------------------------------------------------------

  filterChanged(isFirst) {
    this.store.setFilter(this.filter);
    if (!isFirst && ["scroll", "selection"].includes(this.store.pausedBy)) this.resume();
  }

  use(data, isChanged) {
    const { source } = this;
    this.player.update(data);
    // Another source, of the past or live again, has begun with this filter.
    if (isChanged && source === this.source) source.use(this.base, data.filter);
    this.source.hear(data.handed);
  }

  // What an ended source still brings is no longer meant.
  retireSource() {
    this.source.end();
    this.source.generation++;
  }

  startLive() {
    this.source = this.liveSource();
    this.source.pass = this.pass;
    this.source.use(this.base, this.filter);
  }

  // Newest on top, or at the bottom like `tail -f`.
  turnAround() {
    this.options.set("newest", this.list.isNewestLast ? "top" : "bottom");
  }

  actionsFor(line) {
    return [["Play from here", "Play the past from the moment this line was received", () => this.playFrom(line)]];
  }

  keysFor() {
    return feedKeys(this);
  }

  // --- drawing -----------------------------------------------------------------------------------

  paintAround() {
    showAround(this);
    publishStatus(statusOf(this));
    this.visit.recount();
    if (this.store.isPaused && this.list.seesOldest && this.list.overflows) this.source.loadOlder();
  }

  bands() {
    return this.marks.all();
  }

  tick() {
    this.source.tick();
    this.visit.see();
    this.store.dropExpired();
    this.head.renewAges();
    writeUrl(this);
    this.fit();
    const now = Date.now();
    if (now - this.saidAt >= SAY_EVERY_MS) {
      const more = this.store.taken - this.unsaid;
      this.saidAt = now;
      this.unsaid = this.store.taken;
      if (more > 0) setText(this.said, plural(more, "new line"));
    }
    this.schedule();
  }
}

shared.matchesFilter = matchesFilter;

export default function (component) {
  return mountView(component, (key) => new Feed(key));
}
