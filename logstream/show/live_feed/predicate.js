// Which lines a filter means: the twin of LogFilter.matches in logstream/filter.py.
// A test runs the same cases through both.

const NANOS_PER_MS = 1_000_000;

// ISO 8601 UTC with up to nine decimals → {ms, nanos}: whole milliseconds since the epoch and
// the nanoseconds within that millisecond (a double cannot hold nanoseconds since the epoch).
function readTime(iso) {
  const match = /^(-?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?/.exec(iso ?? "");
  if (!match) return { ms: 0, nanos: 0 };
  const [, year, month, day, hour, minute, second, fraction = ""] = match;
  const date = new Date(0);
  date.setUTCFullYear(+year, +month - 1, +day);
  date.setUTCHours(+hour, +minute, +second);
  const nanos = +fraction.padEnd(9, "0");
  return { ms: date.getTime() + Math.floor(nanos / NANOS_PER_MS), nanos: nanos % NANOS_PER_MS };
}

function splitUnixNano(text) {
  const value = BigInt(text);
  let nanos = value % 1_000_000n;
  if (nanos < 0n) nanos += 1_000_000n;
  return { ms: Number((value - nanos) / 1_000_000n), nanos: Number(nanos) };
}

const compareTimes = (a, b) => a.ms - b.ms || a.nanos - b.nanos;

function allows(choice, value) {
  return (
    (!choice.only.length || choice.only.includes(value)) && !choice.excluded.includes(value)
  );
}

// The moment a filter stands at: its `at`, or else now; as {ms, nanos}.
const momentOf = (filter, now) => (filter.atUnixNano ? splitUnixNano(filter.atUnixNano) : now);

// [start inclusive, end exclusive] of a filter; null where open. Relative ranges of two minutes
// or more start on a whole minute, like the counts of the charts, and reach a day ahead of now.
function windowOf(filter, now) {
  if (filter.rangeSeconds) {
    now = momentOf(filter, now);
    const start = { ms: now.ms - filter.rangeSeconds * 1000, nanos: now.nanos };
    const end = { ms: Math.floor((now.ms + 86_400_000) / 60_000) * 60_000, nanos: 0 };
    if (filter.rangeSeconds < 120) return [start, end];
    const roundedUp = Math.ceil((start.ms + (start.nanos ? 1 : 0)) / 60_000) * 60_000;
    return [{ ms: roundedUp, nanos: 0 }, end];
  }
  return [
    filter.startUnixNano === null ? null : splitUnixNano(filter.startUnixNano),
    filter.endUnixNano === null ? null : splitUnixNano(filter.endUnixNano),
  ];
}

// Lower case, one character for each, as a query's parts are; see `folded` in text_query/.
const folded = (text) => text.replaceAll("İ", "i").replaceAll("Σ", "σ").toLowerCase();

const expressions = new Map(); // by source; global, for marking

function expressionOf(part) {
  let expression = expressions.get(part.pattern);
  if (!expression) {
    if (expressions.size >= 200) expressions.clear();
    expressions.set(part.pattern, (expression = new RegExp(part.pattern, "g")));
  }
  return expression;
}

// True when a text in lower case holds a part of the query; `search` knows no last index.
const occurs = (part, lowered) =>
  lowered.includes(part.text) && (!part.isBound || lowered.search(expressionOf(part)) >= 0);

const LABELS = {
  service: (line) => line.source,
  env: (line) => line.environment,
  severity: (line) => line.severity,
  trace: (line) => line.traceId,
};

// An attribute's value at a path of names; undefined where there is none.
function memberAt(value, path) {
  for (const name of path) {
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    if (!isObject || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

// `literal` is the value's reading as a number, true, false or null; "" when it has none.
// Numbers are compared as the browser holds them, so whole ones beyond 2^53 roughly.
function passes(test, line) {
  if (test.isLabel) return test.values.includes(LABELS[test.key](line));
  return test.paths.some((path) => {
    const found = memberAt(line.metadata, path);
    if (typeof found === "string") return found === test.values[0];
    return test.literal !== "" && found === JSON.parse(test.literal);
  });
}

// Whether text query `text` needs what a frame cut out of the line: then only the database
// can tell, and the line is no match until it was asked (see LogSource.readFrame).
function isBeyondFrame(text, line) {
  const tests = text.attributes.concat(text.notAttributes);
  return line.metadataBytes !== undefined && tests.some((test) => !test.isLabel);
}

function matchesText(text, line) {
  if (
    isBeyondFrame(text, line) ||
    !text.attributes.every((test) => passes(test, line)) ||
    text.notAttributes.some((test) => passes(test, line))
  ) {
    return false;
  }
  if (!text.include.length && !text.exclude.length) return true;
  const lowered = folded(line.message);
  return (
    text.include.every((part) => occurs(part, lowered)) &&
    !text.exclude.some((part) => occurs(part, lowered))
  );
}

// True when the filter means the line (API shape); `now` as {ms, nanos}.
function matchesFilter(filter, line, now) {
  const [start, end] = windowOf(filter, now);
  const time = start || end ? readTime(line.createdAt) : null;
  if (
    !allows(filter.environment, line.environment) ||
    !allows(filter.service, line.source) ||
    !allows(filter.severity, line.severity) ||
    (filter.traceId && line.traceId !== filter.traceId) ||
    (start && compareTimes(time, start) < 0) ||
    (end && compareTimes(time, end) >= 0) ||
    (filter.atUnixNano &&
      compareTimes(readTime(line.observedAt), splitUnixNano(filter.atUnixNano)) >= 0)
  ) {
    return false;
  }
  return matchesText(filter.text, line);
}

// The moment the page stands at: the service's clock, or the position of a playback.
const pageClock = {
  skewMs: 0, // how far the browser's clock is behind the service's
  playedMs: null,
  now() {
    return this.playedMs ?? Date.now() + this.skewMs;
  },
};

const clockNow = () => ({ ms: pageClock.now(), nanos: 0 });
