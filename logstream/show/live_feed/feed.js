// The feed: one per key, kept on globalThis, so that Streamlit's reruns, remounts and page
// switches neither lose a row nor a socket. A mount gives it a place to draw.

const CLOSE_AFTER_MS = 30_000;
const SAY_EVERY_MS = 10_000;
const LEAST_HEIGHT = 320;
const NARROW_WIDTH = 640;

class Feed extends Reading {
  constructor(key) {
    super();
    this.key = key;
    this.store = new LineStore();
    this.source = this.liveSource();
    this.player = new Player(this);
    this.store.onLanded = (ours, id) => this.landed(ours, id);
    this.store.onSettled = () => this.schedule();
    this.aim = new Aim(this.store);
    this.publishers = new Map(); // publisher → when it was last heard
    shared.events.addEventListener("frame", ({ detail }) => this.heard(detail));
    this.root = null;
    this.clock = new Clock("UTC");
    this.filterKey = "";
    this.askedLine = "";
    this.openId = null;
    this.selectedId = null;
    this.told = ""; // a short answer to a key
    // One a page: another mount or a copied link asks the same.
    this.options = shared.options ??= new Options();
    this.options.onChange = () => this.optionsChanged();
    this.visit = new Visit(this);
    this.marks = new Bands(this);
    this.saidAt = 0;
    this.unsaid = 0;
    this.pinned = [];
    this.ask = () => {};
    this.tell = () => {}; // what we want of the dashboard's process
  }

  liveSource() {
    return new LogSource(this.store, () => this.schedule(), (wish) => this.root && this.tell(wish));
  }

  // --- mounting ---------------------------------------------------------------------------

  mount(root) {
    clearTimeout(this.closing);
    if (this.root === root) return;
    if (this.root) this.unmount(this.root);
    clearTimeout(this.closing);
    this.root = root;
    const find = (selector) => root.querySelector(selector);
    this.box = find(".feed");
    this.scroller = find(".view");
    this.foot = find(".foot");
    this.news = find(".news");
    this.banner = find(".banner");
    this.count = find(".count");
    this.sampled = find(".sampled");
    this.pauseButton = find(".pause");
    this.wrapButton = find(".wrap");
    this.said = find(".said");
    this.shortcutsBox = find(".shortcuts");
    this.skeleton = find(".skeleton");
    this.skeleton.replaceChildren(...skeletonRows());
    drawShortcuts(this.shortcutsBox);
    this.since = find(".since");
    this.list = new RowList(this.scroller, this);
    this.list.anchor = this.lastAnchor ?? null;
    this.head = new ColumnHead(find(".columns"), this);
    this.look = new ViewOptions(find(".view-options"), find(".look"), this);
    this.drawer = new Drawer(find(".drawer"), this);
    this.panel = new Panel(find(".panel"), this);
    this.listen(find);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.player.mount(find(".player"));
    if (this.openId !== null) this.drawer.open(this.openId, this.store.byId.get(this.openId)?.line);
  }

  listen(find) {
    this.stop = new AbortController();
    const on = (target, name, handler, options) =>
      target.addEventListener(name, handler, { signal: this.stop.signal, ...options });
    this.pauseButton.onclick = () => this.togglePause();
    this.wrapButton.onclick = () => this.toggleWrap();
    find(".keys").onclick = () => this.toggleShortcuts();
    this.news.onclick = () => this.resume();
    this.since.onclick = () => this.visit.jump();
    on(this.scroller, "scroll", () => this.scrolled(), { passive: true });
    on(this.scroller, "wheel", (event) => this.wheeled(event), { passive: true });
    on(this.scroller, "pointerdown", (event) => event.target.closest(".row") && this.aim.pressed());
    on(this.scroller, "click", (event) => this.clicked(event));
    on(this.scroller, "pointerover", (event) => this.explainTime(event));
    on(this.scroller, "pointermove", (event) => this.aim.moved(event), { passive: true });
    on(this.scroller, "pointerleave", () => this.aim.isPressed || this.aim.letGo());
    on(document, "pointerup", () => setTimeout(() => this.aim.released()));
    on(document, "pointercancel", () => this.aim.released());
    on(document, "selectionchange", () => this.hasSelection() && this.pause("selection"));
    on(document, "pointerdown", (event) => this.look.pressed(event));
    on(document, "keydown", (event) => handleKey(this, event));
    on(document, "visibilitychange", () => {
      if (document.hidden) return;
      this.cancelPaint();
      this.visit.begin();
      this.source.wake();
      this.schedule();
    });
    on(window, "online", () => this.source.wake());
    on(window, "popstate", () => readUrl(this));
    on(window, "resize", () => this.fit());
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.box);
    const host = this.root.host ?? this.root;
    this.page = host.closest?.('[data-testid="stMainBlockContainer"]');
    this.main = host.closest?.('[data-testid="stMain"]') ?? document.scrollingElement;
    if (this.page) this.sizes.observe(this.page);
  }

  unmount(root) {
    if (this.root !== root) return;
    this.stop.abort();
    this.sizes.disconnect();
    clearInterval(this.ticking);
    this.cancelPaint();
    this.aim.letGo();
    this.drawer.close();
    this.lastAnchor = this.list.anchor;
    this.player.unmount();
    this.root = this.list = null;
    this.closing = setTimeout(() => {
      this.source.end();
      shared.feeds.delete(this.key);
      publishStatus(null);
    }, CLOSE_AFTER_MS);
  }

  // --- what Streamlit says ------------------------------------------------------------------

  update(data) {
    this.showTheme(data.palette);
    if (this.zone !== data.timezone) {
      this.zone = data.timezone;
      this.clock = new Clock(data.timezone);
      this.list.forget();
    }
    this.pass = this.source.pass = data.pass;
    if (String(this.pinned) !== String(data.pinned)) {
      this.pinned = data.pinned;
      if (this.drawer.line) this.drawer.draw(this.drawer.line);
    }
    Questions.relayPath = data.relayPath;
    const base = data.serviceUrl || `${location.protocol}//${location.hostname}:${data.servicePort}`;
    const filterKey = JSON.stringify([base, data.filter]);
    const isChanged = filterKey !== this.filterKey;
    this.base = base;
    if (isChanged) {
      const isFirst = !this.filterKey;
      this.filterKey = filterKey;
      this.filter = data.filter;
      this.store.setFilter(data.filter);
      this.list.forget();
      if (!isFirst && ["scroll", "selection"].includes(this.store.pausedBy)) this.resume();
    }
    this.filter = data.filter;
    const { source } = this;
    this.player.update(data);
    // Another source, of the past or live again, has begun with this filter.
    if (isChanged && source === this.source) source.use(base, data.filter);
    this.source.hear(data.handed);
    this.showsEnvironment = data.filter.environment.only.length !== 1;
    if (data.line !== this.askedLine) {
      this.askedLine = data.line;
      if (data.line) this.openElsewhere(Number(data.line));
    }
    writeUrl(this);
    this.fit();
    this.schedule();
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

  showTheme(palette) {
    const background = getComputedStyle(this.box).getPropertyValue("--st-background-color");
    const theme = isDark(background) ? "dark" : "light";
    if (this.theme === theme && this.box.dataset.theme === theme) return;
    this.theme = theme;
    this.services = palette.services[theme];
    this.serviceColours = new Map();
    for (const el of [this.box, this.drawer.el]) {
      el.dataset.theme = theme;
      for (const [word, colour] of Object.entries(palette.severities[theme])) {
        el.style.setProperty(`--${word}`, colour);
      }
    }
    this.list.forget();
    if (this.drawer.line) this.drawer.draw(this.drawer.line);
  }

  serviceColour(name) {
    let colour = this.serviceColours.get(name);
    if (!colour) this.serviceColours.set(name, (colour = this.colourOf(name)));
    return colour;
  }

  colourOf(name) {
    let digest = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(name)) digest = Math.imul(digest ^ byte, 0x01000193);
    return this.services[(digest >>> 0) % this.services.length];
  }

  // --- settings of the reader ------------------------------------------------------------------

  get wrap() {
    return this.options.get("wrap") === "1";
  }

  toggleWrap() {
    this.options.set("wrap", this.wrap ? "0" : "1");
  }

  optionsChanged() {
    writeUrl(this);
    if (!this.root) return;
    this.list.forget();
    if (!this.store.isPaused) this.list.anchor = null;
    this.head.refresh();
    this.look.draw();
    this.schedule();
  }

  // Newest on top, or at the bottom like `tail -f`.
  turnAround() {
    this.options.set("newest", this.list.isNewestLast ? "top" : "bottom");
  }

  toggleShortcuts() {
    if (this.shortcutsBox.open) this.shortcutsBox.close();
    else this.shortcutsBox.showModal();
  }

  // Down to the lower edge of the window.
  fit() {
    if (!this.root) return;
    const top = this.box.getBoundingClientRect().top + this.main.scrollTop;
    const margin = parseFloat(getComputedStyle(this.box).getPropertyValue("--below")) || 0;
    const padding = this.page ? parseFloat(getComputedStyle(this.page).paddingBottom) || 0 : 0;
    const below = padding ? padding + 4 : margin;
    const height = `${Math.max(LEAST_HEIGHT, Math.floor(innerHeight - top - below))}px`;
    if (this.box.style.height !== height) this.box.style.height = height;
    const { clientWidth } = this.scroller;
    if (clientWidth !== this.width && this.wrap) this.list.forget();
    this.width = clientWidth;
    this.isNarrow = this.width <= NARROW_WIDTH;
    this.box.classList.toggle("narrow", this.isNarrow);
    this.head.refresh();
    this.schedule();
  }

  // --- drawing -----------------------------------------------------------------------------------

  // At most one paint an animation frame; hidden tabs have no frames, so they get a slow timer.
  schedule() {
    if (this.painting || !this.root) return;
    this.painting = document.hidden
      ? { timer: setTimeout(() => this.paint(), 500) }
      : { frame: requestAnimationFrame(() => this.paint()) };
  }

  cancelPaint() {
    if (!this.painting) return;
    clearTimeout(this.painting.timer);
    cancelAnimationFrame(this.painting.frame);
    this.painting = null;
  }

  paint() {
    this.painting = null;
    if (!this.root) return;
    this.box.classList.toggle("wrapped", this.wrap);
    this.noteDates();
    this.scrolled();
    if (!this.list.paint() || this.list.reachSought()) this.schedule();
    showAround(this);
    publishStatus(statusOf(this));
    this.visit.recount();
    if (this.store.isPaused && this.list.seesOldest && this.list.overflows) this.source.loadOlder();
  }

  // Rows of another day than today carry their date.
  noteDates() {
    const oldest = this.store.rows[0];
    const newest = this.store.rows[this.store.rows.length - 1];
    const today = this.clock.date(pageClock.now());
    const isDated = Boolean(
      oldest && (this.clock.date(oldest.ms) !== today || this.clock.date(newest.ms) !== today),
    );
    if (isDated === Boolean(this.isDated)) return;
    this.isDated = isDated;
    this.list.forget();
    this.head.refresh();
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
  const { parentElement: root, data, setTriggerValue, setStateValue } = component;
  let feed = shared.feeds.get(data.key);
  if (!feed) shared.feeds.set(data.key, (feed = new Feed(data.key)));
  feed.ask = (kind, field, value) => {
    // The reader wants to see the lines now, not the drawer before them.
    const isPlaying = kind === "at" || kind === "position";
    if (kind === "trace" || (feed.isNarrow && !isPlaying)) feed.closeLine();
    setTriggerValue("asked", { kind, field, value });
  };
  feed.tell = (wish) => setStateValue("wish", wish);
  feed.mount(root);
  feed.update(data);
  return () => feed.unmount(root);
}
