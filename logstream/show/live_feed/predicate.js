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

function expressionOf({ kind, pattern }) {
  const flags = kind === "regex" ? "gu" : "g";
  const name = flags + pattern;
  let expression = expressions.get(name);
  if (!expression) {
    if (expressions.size >= 200) expressions.clear();
    expressions.set(name, (expression = new RegExp(pattern, flags)));
  }
  return expression;
}

// True when a text in lower case holds a part of the query; `search` knows no last index.
const occurs = (part, lowered) =>
  lowered.includes(part.text) && (!part.isBound || lowered.search(expressionOf(part)) >= 0);

// Null: the line has none.
const LABELS = {
  service: (line) => line.source,
  env: (line) => line.environment,
  severity: (line) => line.severity,
  trace: (line) => line.traceId ?? null,
  latency: (line) => line.latency ?? null,
  pattern: (line) => (line.patternId == null ? null : String(line.patternId)),
};

const COMPARES = {
  "=": (a, b) => a === b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$/;
const MAX_NUMBER_CHARACTERS = 40;
const MAX_WHOLE_NUMBER = 1e15;

// An attribute's value at a path of names; undefined where there is none.
function memberAt(value, path) {
  for (const name of path) {
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    if (!isObject || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

// Numbers are compared as the browser holds them, so whole ones beyond 2^53 roughly.
function asNumber(found) {
  if (typeof found === "number") return found;
  const isNumber = typeof found === "string" && found.length <= MAX_NUMBER_CHARACTERS && NUMBER.test(found);
  return isNumber ? Number(found) : NaN;
}

function asText(found) {
  if (typeof found === "string") return found;
  const isWhole = Number.isInteger(found) && Math.abs(found) < MAX_WHOLE_NUMBER;
  return isWhole ? String(found === 0 ? 0 : found) : null; // there is a zero below zero
}

function isLike({ text, openLeft, openRight }, value) {
  if (value === null) return false;
  if (openLeft && openRight) return value.includes(text);
  return openLeft ? value.endsWith(text) : value.startsWith(text);
}

// What each kind of test asks of one value; `literal` is the value's reading as a number, true,
// false or null, "" when it has none.
const VALUE_TESTS = {
  equals: (test, found) => {
    if (typeof found === "string") return found === test.values[0];
    return test.literal !== "" && found === JSON.parse(test.literal);
  },
  like: (test, found) => isLike(test, asText(found)),
  exists: () => true,
  compares: (test, found) => COMPARES[test.operator](asNumber(found), test.number),
};

const LABEL_TESTS = {
  equals: (test, found) => test.values.includes(found),
  like: isLike,
  exists: (_, found) => found !== null,
  compares: (test, found) => found !== null && COMPARES[test.operator](found, test.number),
};

function labelPasses(test, line) {
  if (test.key === "severity" && test.kind === "compares") {
    return COMPARES[test.operator](line.severityNumber, test.number);
  }
  // Lines of a frame do not know their pattern.
  if (test.key === "pattern" && line.patternId == null && test.kind !== "exists") return undefined;
  if (test.key === "pattern" && test.kind === "exists") return true;
  return LABEL_TESTS[test.kind](test, LABELS[test.key](line));
}

// Whether a node of the query's tree holds of a line; undefined when that depends on what a frame
// left out of it, so that only the database can tell.
function verdictOf(node, line) {
  switch (node.kind) {
    case "all":
      return joined(node.nodes, line, false);
    case "any":
      return joined(node.nodes, line, true);
    case "not": {
      const verdict = verdictOf(node.node, line);
      return verdict === undefined ? undefined : !verdict;
    }
    case "part":
      return line.messageBytes !== undefined ? undefined : occurs(node, loweredOf(line));
    case "regex":
      if (line.messageBytes !== undefined) return undefined;
      return loweredOf(line).search(expressionOf(node)) >= 0;
  }
  if (node.isLabel) return labelPasses(node, line);
  if (line.metadataBytes !== undefined) return undefined;
  return node.paths.some((path) => {
    const found = memberAt(line.metadata, path);
    return found !== undefined && VALUE_TESTS[node.kind](node, found);
  });
}

// One node that decides is enough, whatever the others would say.
function joined(nodes, line, deciding) {
  let isOpen = false;
  for (const node of nodes) {
    const verdict = verdictOf(node, line);
    if (verdict === deciding) return deciding;
    isOpen ||= verdict === undefined;
  }
  return isOpen ? undefined : !deciding;
}

let lowering = { line: null, text: "" }; // one line is asked about at a time

function loweredOf(line) {
  if (lowering.line !== line) lowering = { line, text: folded(line.message) };
  return lowering.text;
}

// Undefined: only the database knows (see LogSource.readFrame).
const textVerdict = (text, line) => joined(text.terms, line, false);

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
  return textVerdict(filter.text, line) === true;
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
