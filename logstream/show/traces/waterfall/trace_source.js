// What the browser asks for a trace: it light, one span whole, and, now and then, whether more of
// it has arrived. Nothing is shown by itself: what came later waits until the reader wants it.

const SOONEST_MS = 5000;
const LATEST_MS = 120_000;
const AGE_SHARE = 10; // a trace ten minutes old is asked for every minute

class TraceSource {
  constructor(onChange) {
    this.onChange = onChange;
    this.questions = new Questions();
    this.trace = null;
    this.error = null;
    this.isLoading = false;
    this.waiting = null; // a newer answer that nobody has asked to see yet
    this.turn = 0;
  }

  use({ traceId, environment, base, pass }) {
    this.questions.use(base);
    this.questions.pass = pass;
    if (traceId === this.traceId && environment === this.environment) return;
    Object.assign(this, { traceId, environment, trace: null, waiting: null, error: null });
    this.load();
  }

  end() {
    this.turn++;
    clearTimeout(this.timer);
  }

  path(rest = "", parameters = {}) {
    const query = new URLSearchParams({ ...(this.environment && { env: this.environment }), ...parameters });
    return `/traces/${encodeURIComponent(this.traceId)}${rest}${query.size ? `?${query}` : ""}`;
  }

  async load() {
    const turn = ++this.turn;
    this.isLoading = true;
    this.onChange();
    try {
      const seen = this.counted();
      const answer = await this.questions.ask(this.path("", { attributes: "false" }));
      if (turn !== this.turn) return;
      this.error = null;
      this.trace = new Trace(answer);
      this.seen = seen;
    } catch (error) {
      if (turn !== this.turn) return;
      this.error = error;
    }
    this.isLoading = false;
    this.loadedMs = Date.now();
    this.onChange();
    this.askLater();
    // Of a trace too large to be drawn whole the list knows how large it is.
    if (this.trace && (await this.seen) && this.spanCount > this.trace.spans.length) this.onChange();
  }

  // How much there is of the trace, cheaply; null where the list of traces cannot tell.
  async counted() {
    const query = new URLSearchParams({ trace: this.traceId, limit: 1, ...(this.environment && { env: this.environment }) });
    try {
      const [found] = (await this.questions.ask(`/traces?${query}`)).traces;
      this.spanCount = found?.spanCount ?? 0;
      return found ? `${found.spanCount} ${found.lineCount}` : "0 0";
    } catch {
      return null;
    }
  }

  // Often while the trace is young, ever more rarely after.
  askLater() {
    clearTimeout(this.timer);
    const age = this.trace ? Date.now() - this.trace.msAt(this.trace.to) : Date.now() - this.loadedMs;
    const pause = Math.min(LATEST_MS, Math.max(SOONEST_MS, age / AGE_SHARE));
    this.timer = setTimeout(() => this.askForMore(), pause);
  }

  async askForMore() {
    if (document.hidden) return; // asked again when the tab is looked at
    if (!this.trace) return this.load();
    const { turn } = this;
    try {
      const seen = await this.counted();
      if (turn !== this.turn) return;
      const isSame = seen !== null && seen === (await this.seen);
      if (!isSame) {
        const answer = await this.questions.ask(this.path("", { attributes: "false" }));
        if (turn !== this.turn) return;
        this.seen = Promise.resolve(seen);
        this.waiting = this.differenceTo(answer).total ? answer : this.waiting;
        this.onChange();
      }
    } catch {
      // asked again later; what is shown stays
    }
    if (turn === this.turn) this.askLater();
  }

  differenceTo(answer) {
    const spans = Math.max(0, answer.spans.length - this.trace.spans.length);
    const lines = Math.max(0, answer.logs.length - this.trace.lines.length);
    return { spans, lines, total: spans + lines };
  }

  // `3 spans and 1 line arrived.`
  get news() {
    if (!this.waiting || !this.trace) return "";
    const { spans, lines } = this.differenceTo(this.waiting);
    return `${[spans && plural(spans, "span"), lines && plural(lines, "line")].filter(Boolean).join(" and ")} arrived.`;
  }

  takeNews() {
    this.trace = new Trace(this.waiting);
    this.waiting = null;
    this.onChange();
  }

  wake() {
    if (!document.hidden && (this.trace || this.error)) this.askForMore();
  }

  // One span with attributes, events and links; of two with one id, the one meant.
  async whole(span) {
    if (span.whole) return span.whole;
    if (span.told.attributes) return (span.whole = span.told);
    const answer = await this.questions.ask(this.path(`/spans/${encodeURIComponent(span.id)}`));
    const found = answer.spans ? answer.spans.find((one) => isSameSpan(one, span.told)) ?? answer.spans[0] : answer.span ?? answer;
    return (span.whole = found);
  }

  // Every span with its attributes, for the search.
  async loadAttributes() {
    const { trace } = this;
    if (trace.hasAttributes || trace.spans.length > MOST_WITH_ATTRIBUTES) return;
    trace.hasAttributes = true;
    const answer = await this.questions.ask(this.path());
    const byId = Map.groupBy(answer.spans, (told) => told.spanId);
    for (const span of trace.spans) {
      span.whole ??= byId.get(span.id)?.find((told) => isSameSpan(told, span.told));
    }
    this.onChange();
  }

  durationsOf({ told: { service, name, kind } }) {
    const query = new URLSearchParams({ service, operation: name, kind, ...(this.environment && { env: this.environment }) });
    return this.questions.ask(`/services/durations?${query}`);
  }
}

const isSameSpan = (one, other) =>
  one.kind === other.kind && one.startUnixNano === other.startUnixNano && one.durationNano === other.durationNano;
