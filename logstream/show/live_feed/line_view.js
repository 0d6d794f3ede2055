// A list of lines on a page: where it is mounted, how it looks, when it is painted. A view is kept
// on globalThis by its key, so that Streamlit's reruns, remounts and page switches lose nothing;
// a mount gives it a place to draw. The live feed (feed.js) and the found lines (results.js) are
// such views; each brings a store, a source and what stands around the rows.

const LEAST_HEIGHT = 320;
const NARROW_WIDTH = 640;

class LineView extends Reading {
  constructor(key) {
    super();
    this.key = key;
    this.root = null;
    this.clock = new Clock("UTC");
    this.filterKey = "";
    this.askedLine = "";
    this.openId = null;
    this.selectedId = null;
    this.told = ""; // a short answer to a key
    // One a page: another mount or a copied link asks the same.
    this.options = shared.options ??= new Options();
    this.pinned = [];
    this.ask = () => {};
    this.tell = () => {}; // what we want of the dashboard's process
  }

  // --- what views differ in -----------------------------------------------------------------

  // How long a view that is not on the page is kept.
  get keptMs() {
    return 30_000;
  }

  get isNewestLast() {
    return this.options.get("newest") === "bottom";
  }

  // Whether the reader chooses where the newest line stands.
  get canTurnAround() {
    return false;
  }

  // The past is played: the moment shown moves on by itself.
  get isPlaying() {
    return false;
  }

  // The moment a relative range counts back from.
  get moment() {
    return clockNow();
  }

  filterChanged() {}

  mountParts() {}

  unmountParts() {}

  readMoment() {}

  writeMoment() {}

  bands() {
    return [];
  }

  // Buttons of the drawer about its line: [label, title, what it does].
  actionsFor() {
    return [];
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
    this.wrapButton = find(".wrap");
    this.said = find(".said");
    this.shortcutsBox = find(".shortcuts");
    this.skeleton = find(".skeleton");
    this.skeleton.replaceChildren(...skeletonRows());
    drawShortcuts(this.shortcutsBox, this.shortcuts);
    this.list = new RowList(this.scroller, this);
    this.list.anchor = this.lastAnchor ?? null;
    this.head = new ColumnHead(find(".columns"), this);
    this.look = new ViewOptions(find(".view-options"), find(".look"), this);
    this.drawer = new Drawer(find(".drawer"), this);
    this.stop = new AbortController();
    this.options.onChange = () => this.optionsChanged();
    this.listen(find);
    this.mountParts(find);
    this.ticking = setInterval(() => this.tick(), 1000);
    if (this.openId !== null) this.drawer.open(this.openId, this.store.byId.get(this.openId)?.line);
  }

  on(target, name, handler, options) {
    target.addEventListener(name, handler, { signal: this.stop.signal, ...options });
  }

  listen(find) {
    this.wrapButton.onclick = () => this.toggleWrap();
    find(".keys").onclick = () => this.toggleShortcuts();
    this.on(this.scroller, "scroll", () => this.scrolled(), { passive: true });
    this.on(this.scroller, "click", (event) => this.clicked(event));
    this.on(this.scroller, "pointerover", (event) => this.explainTime(event));
    this.on(document, "pointerdown", (event) => this.look.pressed(event));
    this.on(document, "keydown", (event) => handleKey(this, event));
    this.on(document, "visibilitychange", () => {
      if (document.hidden) return;
      this.cancelPaint();
      this.cameIntoView();
      this.schedule();
    });
    this.on(window, "online", () => this.source.wake());
    this.on(window, "popstate", () => readUrl(this));
    this.on(window, "resize", () => this.fit());
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.box);
    const host = this.root.host ?? this.root;
    this.page = host.closest?.('[data-testid="stMainBlockContainer"]');
    this.main = host.closest?.('[data-testid="stMain"]') ?? document.scrollingElement;
    if (this.page) this.sizes.observe(this.page);
  }

  cameIntoView() {
    this.source.wake();
  }

  unmount(root) {
    if (this.root !== root) return;
    this.stop.abort();
    this.sizes.disconnect();
    clearInterval(this.ticking);
    this.cancelPaint();
    this.drawer.close();
    this.lastAnchor = this.list.anchor;
    this.unmountParts();
    this.root = this.list = null;
    this.closing = setTimeout(() => {
      this.source.end();
      shared.feeds.delete(this.key);
      if (![...shared.feeds.values()].some((view) => view.root)) publishStatus(null);
    }, this.keptMs);
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
    const isFirst = !this.filterKey;
    this.base = base;
    this.filter = data.filter;
    if (isChanged) {
      this.filterKey = filterKey;
      this.filterChanged(isFirst);
      this.list.forget();
    }
    this.use(data, isChanged);
    this.showsEnvironment = data.filter.environment.only.length !== 1;
    if (data.line !== this.askedLine) {
      this.askedLine = data.line;
      if (data.line) this.openElsewhere(Number(data.line));
    }
    writeUrl(this);
    this.fit();
    this.schedule();
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
    this.paintAround();
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
}

// The component's entry: the view under the key of its data, made by `make` when there is none.
function mountView(component, make) {
  const { parentElement: root, data, setTriggerValue, setStateValue } = component;
  let view = shared.feeds.get(data.key);
  if (!view) shared.feeds.set(data.key, (view = make(data.key)));
  view.ask = (kind, field, value) => {
    // The reader wants to see the lines now, not the drawer before them.
    const isMoment = kind === "at" || kind === "position";
    if (kind === "trace" || (view.isNarrow && !isMoment)) view.closeLine();
    setTriggerValue("asked", { kind, field, value, name: `${Date.now()} ${Math.random()}` });
  };
  view.tell = (wish) => setStateValue("wish", wish);
  view.mount(root);
  view.update(data);
  return () => view.unmount(root);
}
