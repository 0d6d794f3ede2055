// Counts that grow with the frames of the live feed between two answers of the database.

const shared = (globalThis.__logstream ??= { feeds: new Map(), status: null, events: new EventTarget() });

// Lines are announced up to so long after they were stored: a frame sent this soon after the
// question may tell of lines that are in the answer already.
const UNSURE_MS = 250;
const MOST_FRAMES = 600;
const STALE_MS = 10_000;
const PLAYING_MS = 3000;
const PAINT_MS = 200; // frames of many environments come faster than anybody reads

// True when frames tell enough: they count by environment, service and severity, not by text.
const canCount = (filter) => !filter.traceId && !filter.text.terms.length;

// True when every line of a minute (in seconds) lies in the filter's window. Of a minute that lies
// in it partly only the database knows how many do.
function coversMinute(filter, minute, nowMs) {
  const [start, end] = windowOf(filter, { ms: nowMs, nanos: 0 });
  const slack = filter.rangeSeconds && filter.rangeSeconds < 120 ? 60 : 0;
  return (
    (!start || (minute + slack) * 1000 >= start.ms) && (!end || (minute + 60) * 1000 <= end.ms)
  );
}

// `shown` maps a key to its counts: what the last answer said, and the frames sent since on top.
// `keyOf({minute, severity})` names the key (undefined: none), `partsOf(severity)` which of the
// counts a line adds to, as zeros and ones.
class LiveCounts {
  constructor(keyOf, partsOf) {
    this.keyOf = keyOf;
    this.partsOf = partsOf;
    this.frames = [];
    this.isPlayed = false;
    this.positionMs = null; // of a playback
    this.playedAt = -Infinity;
    this.forget();
  }

  forget() {
    this.shown = new Map();
    this.answered = new Map();
    this.asOfMs = -Infinity;
  }

  use(filter) {
    this.filter = filter;
    this.forget();
    for (const frame of this.frames) frame.entries = this.entriesOf(frame.told);
  }

  // True when the frame counts for something.
  hear(frame) {
    if (frame.isPlayback) this.play(frame.sentUnixMs);
    else if (this.isPlayed) return false;
    const name = `${frame.publisher}/${frame.environment}/${frame.sequence}/${frame.sentUnixMs}`;
    if (this.frames.some((kept) => kept.name === name)) return false;
    const entries = this.entriesOf(frame);
    const { environment, counts, isFiltered } = frame;
    this.frames.push({ name, sentMs: frame.sentUnixMs, entries, told: { environment, counts, isFiltered } });
    if (this.frames.length > MOST_FRAMES) this.merge(this.frames.splice(0, MOST_FRAMES / 2));
    return entries.length > 0 || this.isPlayed; // the position moves all the same
  }

  // Back in a recording: what was played beyond is not yet.
  play(positionMs) {
    if (!this.isPlayed) this.frames = [];
    if (positionMs < this.positionMs) this.frames = this.frames.filter((kept) => kept.sentMs <= positionMs);
    this.isPlayed = true;
    this.positionMs = positionMs;
    this.playedAt = performance.now();
  }

  merge(frames) {
    const { name, sentMs } = frames[frames.length - 1];
    this.frames.unshift({
      name,
      sentMs,
      entries: summed(frames.flatMap((frame) => frame.entries)),
      told: { counts: [] },
    });
  }

  entriesOf({ environment, counts, isFiltered }) {
    const { filter } = this;
    if (!filter || !counts) return [];
    if (isFiltered) return summed(counts);
    if (!canCount(filter) || !allows(filter.environment, environment)) return [];
    return summed(
      counts.filter((c) => allows(filter.service, c.source) && allows(filter.severity, c.severity)),
    );
  }

  // `values` maps keys to counts as they were at `asOfMs`; `isPlayed`: of a moment chosen.
  answer(asOfMs, values, isPlayed = false) {
    const isHeard = performance.now() - this.playedAt < PLAYING_MS;
    if (isPlayed !== this.isPlayed && !isHeard) {
      this.frames = [];
      this.isPlayed = isPlayed;
      this.positionMs = null;
    }
    if (isPlayed && !this.frames.some((frame) => frame.sentMs <= asOfMs && asOfMs <= this.positionMs)) {
      this.frames = this.frames.filter((frame) => frame.sentMs <= asOfMs);
      this.positionMs = asOfMs;
    }
    // Another process of the dashboard may have asked earlier than the one before.
    const isOlder = asOfMs < this.asOfMs && this.asOfMs - asOfMs < STALE_MS;
    if (isOlder && !isPlayed) return;
    this.asOfMs = asOfMs;
    this.answered = values;
    this.frames = this.frames.filter((frame) => frame.sentMs > asOfMs);
  }

  // Bring `shown` up to date. Frames of the unsure moment give a span; what is shown only moves
  // when it leaves that span, so an answer never makes a growing count jump back.
  settle(nowMs) {
    const sure = new Map();
    const possible = new Map();
    for (const frame of this.frames) {
      for (const entry of frame.entries) {
        if (!coversMinute(this.filter, entry.minute, nowMs)) continue;
        const key = this.keyOf(entry);
        if (key === undefined) continue;
        const parts = this.partsOf(entry.severity);
        addTo(possible, key, parts, entry.count);
        if (frame.sentMs > this.asOfMs + UNSURE_MS) addTo(sure, key, parts, entry.count);
      }
    }
    const shown = new Map();
    for (const key of new Set([...this.answered.keys(), ...possible.keys()])) {
      const base = this.answered.get(key) ?? [];
      const before = this.shown.get(key);
      const most = possible.get(key) ?? [];
      const least = sure.get(key) ?? [];
      const size = Math.max(base.length, most.length);
      const counts = [];
      for (let at = 0; at < size; at++) {
        const low = (base[at] ?? 0) + (least[at] ?? 0);
        const high = (base[at] ?? 0) + (most[at] ?? 0);
        counts.push(Math.min(high, Math.max(low, before?.[at] ?? low)));
      }
      shown.set(key, counts);
    }
    this.shown = shown;
    return shown;
  }
}

function addTo(counts, key, parts, count) {
  let kept = counts.get(key);
  if (!kept) counts.set(key, (kept = parts.map(() => 0)));
  parts.forEach((part, at) => (kept[at] += part * count));
}

// One entry a minute and severity; the services no longer matter.
function summed(counts) {
  const found = new Map();
  for (const { minute, severity, count } of counts) {
    if (!Number.isFinite(minute)) continue;
    const key = `${minute} ${severity}`;
    const entry = found.get(key);
    if (entry) entry.count += count;
    else found.set(key, { minute, severity, count });
  }
  return [...found.values()];
}

// The service's clock as answers and frames tell it: the one that took the least time is nearest.
class ServiceClock {
  constructor() {
    this.leads = [];
    this.lastMs = 0;
  }

  note(unixMs) {
    this.leads.push(unixMs - Date.now());
    if (this.leads.length > 20) this.leads.shift();
  }

  // Never goes back, but after a leap of the clock itself.
  nowMs() {
    const now = Date.now() + (this.leads.length ? Math.max(...this.leads) : 0);
    if (now > this.lastMs || this.lastMs - now > STALE_MS) this.lastMs = now;
    return this.lastMs;
  }
}

// Of the same figures as words.py: never 0 % or 100 % of what is neither none nor all.
function percentWords(part, total) {
  if (!total || !part) return "0 %";
  const share = (100 * part) / total;
  if (share < 1) return "<1 %";
  return share > 99 && share < 100 ? ">99 %" : `${share.toFixed(0)} %`;
}

function write(target, words) {
  if (target.textContent !== words) target.textContent = words;
}

// `act` at most every PAINT_MS, and always once after the last call.
function unhurried(act) {
  let timer;
  let lastMs = -Infinity;
  const call = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      lastMs = performance.now();
      act();
    }, lastMs + PAINT_MS - performance.now());
  };
  call.end = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return call;
}
