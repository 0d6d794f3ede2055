// The feed: one per key, kept on globalThis, so that Streamlit's reruns, remounts and page
// switches neither lose a row nor a socket. A mount gives it a place to draw.

const CLOSE_AFTER_MS = 30_000;
const SAY_EVERY_MS = 10_000;
const LEAST_HEIGHT = 320;
const NARROW_WIDTH = 640;

class Feed {
  constructor(key) {
    this.key = key;
    this.store = new LineStore();
    this.source = new LogSource(this.store, () => this.schedule());
    this.player = new Player(this);
    this.store.onLanded = (ours, id) => this.landed(ours, id);
    this.root = null;
    this.clock = new Clock("UTC");
    this.filterKey = "";
    this.askedLine = "";
    this.openId = null;
    this.selectedId = null;
    this.options = new Options(() => this.optionsChanged());
    this.saidAt = 0;
    this.unsaid = 0;
    this.ask = () => {};
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
    this.pauseButton = find(".pause");
    this.wrapButton = find(".wrap");
    this.said = find(".said");
    this.shortcutsBox = find(".shortcuts");
    this.skeleton = find(".skeleton");
    this.skeleton.replaceChildren(...skeletonRows());
    drawShortcuts(this.shortcutsBox);
    this.list = new RowList(this.scroller, this);
    this.drawer = new Drawer(find(".drawer"), this);
    this.panel = new Panel(find(".panel"), this);
    this.listen(find);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.player.mount(find(".player"));
    if (this.openId !== null) this.drawer.open(this.openId, this.store.byId.get(this.openId)?.line);
    if (!this.store.isPaused) this.scroller.scrollTop = 0;
  }

  listen(find) {
    this.stop = new AbortController();
    const on = (target, name, handler, options) =>
      target.addEventListener(name, handler, { signal: this.stop.signal, ...options });
    this.pauseButton.onclick = () => this.togglePause();
    this.wrapButton.onclick = () => this.toggleWrap();
    find(".keys").onclick = () => this.toggleShortcuts();
    this.news.onclick = () => this.resume();
    on(this.scroller, "scroll", () => this.scrolled(), { passive: true });
    on(this.scroller, "pointerdown", (event) => event.target.closest(".row") && this.pressed());
    on(this.scroller, "click", (event) => this.clicked(event));
    on(this.scroller, "pointerover", (event) => this.explainTime(event));
    on(document, "pointerup", () => setTimeout(() => this.released()));
    on(document, "pointercancel", () => this.released());
    on(document, "selectionchange", () => this.hasSelection() && this.pause("selection"));
    on(document, "keydown", (event) => handleKey(this, event));
    on(document, "visibilitychange", () => {
      if (document.hidden) return;
      this.cancelPaint();
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
    this.drawer.close();
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
      const zone = this.box.querySelector(".zone");
      zone.textContent = this.clock.zone.split("/").pop().replaceAll("_", " ");
      zone.title = this.clock.full(Date.now());
    }
    this.pass = this.source.pass = data.pass;
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
      if (!isFirst && ["scroll", "selection", "press"].includes(this.store.pausedBy)) this.resume();
    }
    this.filter = data.filter;
    const { source } = this;
    this.player.update(data);
    // Another source, of the past or live again, has begun with this filter.
    if (isChanged && source === this.source) source.use(base, data.filter);
    this.showsEnvironment = data.filter.environment.only.length !== 1;
    this.box.classList.toggle("with-environment", this.showsEnvironment);
    if (data.line !== this.askedLine) {
      this.askedLine = data.line;
      if (data.line) this.openLine(Number(data.line));
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
    this.source = new LogSource(this.store, () => this.schedule());
    this.source.pass = this.pass;
    this.source.use(this.base, this.filter);
  }

  showTheme(palette) {
    const background = getComputedStyle(this.box).getPropertyValue("--st-background-color");
    const theme = isDark(background) ? "dark" : "light";
    if (this.theme === theme && this.box.dataset.theme === theme) return;
    this.theme = theme;
    this.services = palette.services[theme];
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
    let digest = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(name)) digest = Math.imul(digest ^ byte, 0x01000193);
    return this.services[(digest >>> 0) % this.services.length];
  }

  // --- pausing ------------------------------------------------------------------------------

  pause(reason) {
    if (this.store.isPaused && this.store.pausedBy !== "press") return;
    this.store.pausedBy = reason;
    this.schedule();
  }

  resume() {
    this.root?.getSelection?.()?.removeAllRanges();
    this.store.resume();
    if (this.list) {
      this.list.anchor = null;
      this.scroller.scrollTop = 0;
    }
    this.schedule();
  }

  togglePause() {
    if (this.player.isOn) this.player.toggle();
    else if (this.store.isPaused) this.resume();
    else this.pause("button");
  }

  scrolled() {
    const { scrollTop } = this.scroller;
    const before = this.list.scrollTop;
    if (scrollTop > NEWEST_EDGE) this.pause("scroll");
    else if (before > NEWEST_EDGE && this.store.isPaused && !this.drawer.isOpen && !this.hasSelection()) this.resume();
    this.schedule();
  }

  // Between pressing and releasing nothing moves, so that a click meets the row it aimed at.
  pressed() {
    this.store.pause("press");
  }

  released() {
    if (this.store.pausedBy !== "press") return;
    this.store.resume();
    this.schedule();
  }

  hasSelection() {
    const selection = this.root?.getSelection ? this.root.getSelection() : document.getSelection();
    return Boolean(
      selection && !selection.isCollapsed && selection.anchorNode && this.scroller.contains(selection.anchorNode),
    );
  }

  // --- one line -----------------------------------------------------------------------------

  clicked(event) {
    const el = event.target.closest(".row");
    if (!el || this.hasSelection()) return;
    const { row } = el;
    if (event.target.closest(".chip") && this.wrap && row.line.messageBytes === undefined) {
      row.unfolded = !row.unfolded;
      this.pause("line");
      this.list.redraw(row);
      this.schedule();
      return;
    }
    this.openLine(row.id);
  }

  openLine(id) {
    // A line in the spool can be opened while it is loaded; nobody else could follow a link to it.
    if (!Number.isSafeInteger(id) || (id < 1 && !this.store.byId.has(id))) return;
    this.pause("line");
    this.openId = this.selectedId = id;
    this.drawer.open(id, this.store.byId.get(id)?.line);
    writeUrl(this);
    this.schedule();
  }

  // A line of the spool got its own id: its row, selected or open, stays the same row.
  landed(ours, id) {
    const el = this.list?.drawn.get(ours);
    if (el) {
      this.list.drawn.delete(ours);
      this.list.drawn.set(id, el);
      el.dataset.id = id;
    }
    if (this.selectedId === ours) this.selectedId = id;
    if (this.openId !== ours) return;
    this.openId = this.drawer.id = id;
    this.drawer.draw(this.store.byId.get(id).line);
    writeUrl(this);
  }

  showAroundLine(line) {
    this.list.soughtId = line.id;
    this.ask("around", line.environment, line.createdAt);
  }

  playFrom(line) {
    this.closeLine();
    this.resume();
    this.player.seek(readTime(line.observedAt).ms, this.player.lastSpeed);
  }

  closeLine() {
    this.openId = null;
    this.drawer.close();
    this.scroller.focus({ preventScroll: true });
    writeUrl(this);
    this.schedule();
  }

  openSelected() {
    if (this.selectedId !== null) this.openLine(this.selectedId);
  }

  // One row older (1) or newer (−1) than the selected one; an open drawer follows.
  move(step) {
    const { rows } = this.store;
    if (!rows.length) return;
    const selected = this.store.byId.get(this.selectedId);
    const from = selected ? this.list.indexOf(selected) : -1;
    const index = from < 0 ? this.list.indexAtHeight(this.list.scrollTop) : from + step;
    if (index < 0 || index >= rows.length) return;
    this.pause("line");
    const row = this.list.rowAt(index);
    this.selectedId = row.id;
    this.list.scrollToRow(row);
    if (this.drawer.isOpen) this.openLine(row.id);
    this.schedule();
  }

  explainTime(event) {
    const cell = event.target.closest?.(".time");
    const row = cell?.closest(".row")?.row;
    if (!row) return;
    const received = readTime(row.line.observedAt).ms;
    cell.title = [
      this.clock.full(row.ms),
      `UTC ${row.line.createdAt}`,
      `here ${localClock.full(row.ms)}`,
      ageWords(row.ms, Date.now()),
      `received ${this.clock.full(received)}`,
    ].join("\n");
  }

  // --- settings of the reader ------------------------------------------------------------------

  get wrap() {
    return this.options.get("wrap") === "1";
  }

  toggleWrap() {
    this.options.set("wrap", this.wrap ? "0" : "1");
  }

  optionsChanged() {
    this.list?.forget();
    this.schedule();
  }

  toggleShortcuts() {
    this.shortcutsBox.hidden = !this.shortcutsBox.hidden;
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
    const first = this.box.querySelector(".columns .message");
    this.lead = first.getBoundingClientRect().left - this.box.getBoundingClientRect().left + 16;
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
    if (!this.list.paint() || this.list.reachSought()) this.schedule();
    showAround(this);
    publishStatus(statusOf(this));
    const { lastSeen, count } = this.list;
    if (count && lastSeen >= count - 1 && this.scroller.scrollTop > 0) this.source.loadOlder();
  }

  // Rows of another day than today carry their date.
  noteDates() {
    const oldest = this.store.rows[0];
    const newest = this.store.rows[this.store.rows.length - 1];
    const today = this.clock.date(Date.now());
    const isDated = Boolean(
      oldest && (this.clock.date(oldest.ms) !== today || this.clock.date(newest.ms) !== today),
    );
    if (isDated === Boolean(this.isDated)) return;
    this.isDated = isDated;
    this.box.classList.toggle("dated", isDated);
    this.list.forget();
  }

  tick() {
    this.source.tick();
    this.store.dropExpired();
    writeUrl(this);
    this.fit();
    const newest = this.store.rows.length + this.store.waiting.length;
    const now = Date.now();
    if (now - this.saidAt >= SAY_EVERY_MS) {
      const more = this.store.taken - this.unsaid;
      this.saidAt = now;
      this.unsaid = this.store.taken;
      if (more > 0 && newest) setText(this.said, plural(more, "new line"));
    }
    this.schedule();
  }
}

const localClock = new Clock("local");

shared.matchesFilter = matchesFilter;

export default function (component) {
  const { parentElement: root, data, setTriggerValue } = component;
  let feed = shared.feeds.get(data.key);
  if (!feed) shared.feeds.set(data.key, (feed = new Feed(data.key)));
  feed.ask = (kind, field, value) => {
    // The reader wants to see the lines now, not the drawer before them.
    const isPlaying = kind === "at" || kind === "position";
    if (kind === "trace" || (feed.isNarrow && !isPlaying)) feed.closeLine();
    setTriggerValue("asked", { kind, field, value });
  };
  feed.mount(root);
  feed.update(data);
  return () => feed.unmount(root);
}
