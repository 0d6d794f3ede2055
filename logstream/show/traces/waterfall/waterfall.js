// The waterfall of one trace: what is shown of it, and what the reader does with it. How it is
// drawn is said in the files named after the parts.

const LOOK_EVERY_MS = 1000; // at what stands above, which may have grown
const NARROW_TRACE = 640;

class Waterfall extends ReadingTrace {
  constructor(root) {
    super();
    this.root = root;
    this.rows = new VisibleRows();
    this.search = new TraceSearch();
    this.view = { from: 0, to: 1 };
    this.tab = "timeline";
    this.isCriticalShown = true;
    this.selected = null;
    this.clock = new Clock("UTC");
    this.colours = new Map();
    this.source = new TraceSource(() => this.changed());
    this.build();
    this.listen();
  }

  build() {
    const add = (className, parent = this.box) => parent.appendChild(element("div", className));
    this.box = this.root.appendChild(element("div", "trace"));
    this.box.dataset.testid = "trace";
    this.head = new TraceHead(add("top"), this);
    this.state = add("state");
    this.body = add("body");
    this.bar = new TraceBar(add("bar", this.body), this);
    this.timeline = add("timeline", this.body);
    this.minimap = new Minimap(add("minimap", this.timeline), this);
    this.axis = new TimeAxis(add("axis", this.timeline), this);
    this.scroller = add("view", this.timeline);
    this.scroller.tabIndex = 0;
    setRole(this.scroller, "tree", "Spans of the trace");
    add("pad", this.scroller);
    this.list = new TraceRows(this.scroller, this);
    this.statistics = new Statistics(add("statistics", this.body), this);
    this.flame = new Flame(add("flame", this.body), this);
    this.help = this.box.appendChild(element("dialog", "help"));
    drawHelp(this.help);
    const drawer = add("drawer");
    drawer.popover = "manual";
    drawer.hidden = true;
    drawer.dataset.testid = "span-detail";
    setRole(drawer, "region", "Span");
    this.drawer = new SpanDrawer(drawer, this);
  }

  listen() {
    this.stop = new AbortController();
    const { signal } = this.stop;
    // Before the page's own keys: `/` means this trace.
    document.addEventListener("keydown", (event) => handleTraceKey(this, event), { signal, capture: true });
    document.addEventListener("visibilitychange", () => this.source.wake(), { signal });
    window.addEventListener("popstate", () => this.readUrl(), { signal });
    window.addEventListener("resize", () => this.fit(), { signal });
    this.scroller.addEventListener("wheel", (event) => this.wheeled(event), { signal, passive: false });
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.head.root);
    this.sizes.observe(this.timeline);
    this.ticking = setInterval(() => this.fit(), LOOK_EVERY_MS);
  }

  end() {
    this.stop.abort();
    this.sizes.disconnect();
    clearInterval(this.ticking);
    cancelAnimationFrame(this.painting);
    this.source.end();
    this.drawer.close();
  }

  get trace() {
    return this.shown ?? null;
  }

  get environment() {
    return this.data.environment;
  }

  get mostIndent() {
    return this.isNarrow ? 6 : 40;
  }

  get isZoomed() {
    return this.trace !== null && (this.view.from !== this.trace.from || this.view.to !== this.trace.to);
  }

  colourOf(service) {
    let colour = this.colours.get(service);
    if (!colour) this.colours.set(service, (colour = this.data.palette[colourIndex(service, this.data.palette.length)]));
    return colour;
  }

  // --- what Streamlit and the service say -----------------------------------------------------

  update(data) {
    const isOther = this.data?.traceId !== data.traceId;
    this.data = data;
    this.traceId = data.traceId;
    if (this.clock.asked !== data.timezone) {
      this.clock = Object.assign(new Clock(data.timezone), { asked: data.timezone });
      this.head.draw();
    }
    Questions.relayPath = data.relayPath;
    const base = data.serviceUrl || `${location.protocol}//${location.hostname}:${data.servicePort}`;
    if (isOther) this.forget();
    this.source.use({ traceId: data.traceId, environment: data.environment, base, pass: data.pass });
    this.fit();
  }

  forget() {
    this.shown = null;
    this.selected = null;
    this.drawer.close();
    this.rows.folded.clear();
    this.search = new TraceSearch();
    this.list.forget();
    this.changed();
  }

  changed() {
    const { trace } = this.source;
    if (trace && trace !== this.shown) this.take(trace);
    this.head.drawNews();
    drawState(this.state, this);
    this.body.hidden = !this.trace;
    this.head.draw();
    if (this.search.text && this.trace) this.look(this.search.text);
    this.fit();
  }

  take(trace) {
    const isFirst = !this.shown;
    const [wasSelected, wasZoomed, before] = [this.selected?.key, this.isZoomed, this.view];
    const moved = this.shown ? Number(this.shown.base - trace.base) : 0;
    if (this.shown?.isCorrected && trace.shifts.size) trace.correct(true);
    this.shown = trace;
    const begin = isFirst ? crowdOf(trace) : { from: trace.from, to: trace.to };
    this.view = wasZoomed ? { from: before.from + moved, to: before.to + moved } : begin;
    this.rows.use(trace);
    this.selected = trace.byKey.get(wasSelected) ?? null;
    if (this.drawer.isOpen) {
      if (this.selected) this.drawer.open(this.selected);
      else this.drawer.close();
    }
    this.redraw();
    if (isFirst) this.readUrl();
  }

  // --- drawing ----------------------------------------------------------------------------------

  redraw() {
    if (!this.trace) return;
    this.search.look(this.trace);
    this.head.draw();
    this.bar.draw();
    for (const [name, part] of [["timeline", this.timeline], ["statistics", this.statistics.root], ["flame", this.flame.root]]) part.hidden = this.tab !== name;
    if (this.tab === "statistics") this.statistics.draw();
    else if (this.tab === "flame") this.flame.draw();
    else this.redrawRows();
  }

  redrawRows() {
    this.list.forget();
    this.axis.draw();
    this.minimap.draw();
    this.schedule();
  }

  schedule() {
    this.painting ??= requestAnimationFrame(() => {
      this.painting = undefined;
      if (this.trace && this.tab === "timeline") this.list.paint();
    });
  }

  // Down to the window's lower edge, whatever stands above.
  fit() {
    if (!this.root.isConnected) return;
    const host = this.root.getRootNode().host ?? this.root;
    const main = host.closest?.('[data-testid="stMain"]') ?? document.scrollingElement;
    const page = host.closest?.('[data-testid="stMainBlockContainer"]');
    const top = this.box.getBoundingClientRect().top + main.scrollTop;
    const padding = page ? parseFloat(getComputedStyle(page).paddingBottom) || 0 : 12;
    this.isNarrow = this.box.clientWidth <= NARROW_TRACE;
    const least = this.isNarrow ? 560 : 360; // a phone scrolls the page down to the rows
    const height = `${Math.max(least, Math.floor(innerHeight - top - padding - 4))}px`;
    if (this.box.style.height !== height) this.box.style.height = height;
    this.box.classList.toggle("narrow", this.isNarrow);
    const lane = this.axis.scale.clientWidth;
    if (this.trace && this.tab === "timeline" && lane !== this.lane) {
      this.lane = lane;
      this.axis.draw();
    }
    this.schedule();
  }

  // --- what the reader does -----------------------------------------------------------------------

  showTab(tab) {
    this.tab = tab;
    this.redraw();
  }

  toggle(node) {
    this.rows.toggle(node);
    this.rowsChanged();
  }

  changeLevel(by) {
    this.rows.foldFrom(Math.max(0, Math.min(this.rows.deepest, this.rows.level) + by));
    this.rowsChanged();
  }

  rowsChanged() {
    this.bar.draw();
    this.minimap.draw();
    // Rows that stay may look another way: folded, with a count.
    this.schedule();
  }

  switchRows(name) {
    this.rows[name] = !this.rows[name];
    this.rows.renew();
    this.list.forget();
    this.rowsChanged();
  }

  switchCritical() {
    this.isCriticalShown = !this.isCriticalShown;
    this.bar.draw();
    this.redrawRows();
  }

  correctClocks() {
    const { isZoomed } = this;
    this.trace.correct(!this.trace.isCorrected);
    if (!isZoomed) this.view = { from: this.trace.from, to: this.trace.to };
    this.rows.renew();
    this.redraw();
    if (this.drawer.isOpen) this.drawer.drawOwner();
  }

  zoomTo(from, to) {
    const { trace } = this;
    if (!(to > from)) [from, to] = [from - 500, from + 500];
    this.view = { from: Math.max(trace.from, from), to: Math.min(trace.to, to) };
    if (this.view.to - this.view.from < 1) this.view = { from: trace.from, to: trace.to };
    this.bar.draw();
    this.redrawRows();
  }

  zoomOut() {
    this.zoomTo(this.trace.from, this.trace.to);
  }

  zoomToSelected() {
    const node = this.selected?.owner ?? this.selected?.span ?? this.selected;
    if (node?.end !== undefined) this.zoomTo(node.start, node.end);
  }

  // With Ctrl the wheel zooms around the pointer.
  wheeled(event) {
    if (!event.ctrlKey || !this.trace) return;
    event.preventDefault();
    const { left, width } = this.axis.scale.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    const { from, to } = this.view;
    const size = (to - from) * (event.deltaY < 0 ? 0.8 : 1.25);
    const at = from + share * (to - from);
    this.zoomTo(at - share * size, at + (1 - share) * size);
  }
}

export default mounted((root) => new Waterfall(root));
