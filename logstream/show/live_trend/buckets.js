// Which buckets are shown, and what is known of each.

const YOUNG_SECONDS = 60; // a bucket that ended so recently often still gets lines
const GRAVE = new Set(["error", "fatal"]);

// [first, last] bucket by their starts in seconds. A relative range moves with the clock.
function bucketSpan({ filter, bucketSeconds: width, first, total }, nowMs) {
  const current = Math.floor(nowMs / 1000 / width) * width;
  const answered = first + (total.length - 1) * width;
  if (filter.rangeSeconds) {
    const [start] = windowOf(filter, { ms: nowMs, nanos: 0 });
    return [Math.min(current, Math.floor(start.ms / 1000 / width) * width), current];
  }
  return [first, filter.endUnixNano === null ? Math.max(answered, current) : answered];
}

class Buckets {
  constructor() {
    this.viewKey = "";
    this.clock = new ServiceClock();
    this.counts = new LiveCounts(
      ({ minute }) => this.startOf(minute),
      (severity) => [1, GRAVE.has(severity) ? 1 : 0, severity === "warn" ? 1 : 0],
    );
    this.settled = new Map(); // start → its total once it was settled
  }

  // Lines stamped ahead of the clock are counted in the newest bucket, as in the answer.
  startOf(minute) {
    const { bucketSeconds: width } = this.data;
    const [first, last] = this.span;
    const start = Math.min(Math.floor(minute / width) * width, last);
    return start < first ? undefined : start;
  }

  // True when another view begins: the buckets are others.
  update(data) {
    const viewKey = JSON.stringify([data.filter, data.bucketSeconds]);
    const isOther = viewKey !== this.viewKey;
    this.data = data;
    if (isOther) {
      this.viewKey = viewKey;
      this.settled.clear();
      this.counts.use(data.filter);
    }
    if (!data.isPlayed) this.clock.note(data.asOfMs);
    const values = new Map();
    data.total.forEach((total, place) =>
      values.set(data.first + place * data.bucketSeconds, [total, data.error[place], data.warn[place]]),
    );
    this.counts.answer(data.asOfMs, values, data.isPlayed);
    return isOther;
  }

  hear(frame) {
    if (!frame.isPlayback) this.clock.note(frame.sentUnixMs);
    return this.counts.hear(frame);
  }

  get positionMs() {
    return this.counts.positionMs;
  }

  nowMs() {
    return this.counts.isPlayed && this.positionMs !== null ? this.positionMs : this.clock.nowMs();
  }

  // Oldest first: {start, total, error, warn, late, state}; `state` is "open", "young" or "settled".
  list(nowMs = this.nowMs()) {
    const { bucketSeconds: width } = this.data;
    const [first, last] = (this.span = bucketSpan(this.data, nowMs));
    const shown = this.counts.settle(nowMs);
    const now = nowMs / 1000;
    const buckets = [];
    for (let start = first; start <= last; start += width) {
      const [total = 0, error = 0, warn = 0] = shown.get(start) ?? [];
      const end = start + width;
      const state = now < start ? "future" : now < end ? "open" : now < end + YOUNG_SECONDS ? "young" : "settled";
      buckets.push({ start, end, total, error, warn, state, late: this.lateOf(start, end, total) });
    }
    for (const start of this.settled.keys()) if (start < first) this.settled.delete(start);
    return buckets;
  }

  // How many lines came after the bucket had settled. Lines also leave: by their age, or because
  // the range moves on over a wide bucket.
  lateOf(start, end, total) {
    const before = this.settled.get(start);
    const settles = this.counts.answered.has(start) && this.counts.asOfMs / 1000 >= end + YOUNG_SECONDS;
    if (before === undefined) {
      if (settles) this.settled.set(start, total);
      return 0;
    }
    if (total < before) this.settled.set(start, total);
    return Math.max(0, total - before);
  }
}
