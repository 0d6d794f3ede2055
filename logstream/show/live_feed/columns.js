// The columns of the feed: which there are, how wide they usually are, how times are written,
// and how a choice of them is written in a URL: `time,service.180,@http.route,message`.

const MOST_COLUMNS = 40;
const LEAST_WIDTH = 40;
const MOST_WIDTH = 2000;
const LEAST_MESSAGE = 200;
const ATTRIBUTE_WIDTH = 120;
const DATE_WIDTH = 44; // "11-30 " before a time of day
const ROW_EDGES = 21; // what stands left and right of a row's cells
const NARROW_CELLS = 4; // in the first of a phone's two lines

// Environment is shown while lines of several ones are: its usual width is written "auto".
const USUAL_COLUMNS = "time,severity,environment.auto,service,message";

const COLUMNS = {
  time: { label: "Time" },
  received: { label: "Received" },
  severity: { label: "Severity", width: 66 },
  environment: { label: "Environment", width: 96 },
  service: { label: "Service", width: 148 },
  trace: { label: "Trace", width: 130 },
  latency: { label: "Latency", width: 84 },
  message: { label: "Message" },
};

const ROW_HEIGHTS = { compact: [20, 38], normal: [22, 42], roomy: [28, 50] }; // wide, narrow

// How a moment is written: by the zone's clock, from whole milliseconds and the sender's text.
const TIMES = {
  ms: { label: "Time of day", width: 96, isDaily: true, write: (clock, ms) => clock.time(ms) },
  exact: {
    label: "Time of day, as exact as sent",
    width: 142,
    isDaily: true,
    write: (clock, ms, iso) => `${clock.time(ms).slice(0, 9)}${(/\.(\d+)/.exec(iso)?.[1] ?? "").padEnd(3, "0")}`,
  },
  date: { label: "Date and time", width: 178, write: (clock, ms) => `${clock.date(ms)} ${clock.time(ms)}` },
  age: { label: "Age", width: 92, write: (clock, ms) => ageWords(ms, pageClock.now()) },
  iso: { label: "ISO 8601, UTC", width: 228, write: (clock, ms, iso) => iso },
};

const isAttribute = (name) => name.startsWith("@");
const columnLabel = (name) => (isAttribute(name) ? cleanText(name.slice(1)) : COLUMNS[name].label);

// [{name, width, isAuto}] of a URL's list; what is unknown, broken or too much falls away.
function readColumns(text, most = MOST_COLUMNS) {
  const columns = new Map();
  for (const part of text.slice(0, 20_000).match(/(?:\\.|[^,\\])+/gs) ?? []) {
    const [, name, size] = /^(.+?)(?:\.(\d{1,5}|auto))?$/s.exec(part.replace(/\\(.)/gs, "$1").trim()) ?? [""];
    const isKnown = name && (isAttribute(name) ? name.length > 1 && name.length <= 200 : Object.hasOwn(COLUMNS, name));
    if (!isKnown || columns.has(name)) continue;
    const isAuto = size === "auto";
    const width = size && !isAuto ? clampedWidth(+size) : null;
    columns.set(name, { name, width, isAuto });
    if (columns.size === most) break;
  }
  return [...columns.values()];
}

function writeColumns(columns) {
  const written = columns.map(({ name, width, isAuto }) => {
    // A key that ends like a width is written with one.
    const size = isAuto ? "auto" : (width ?? (/\.(\d+|auto)$/.test(name) ? ATTRIBUTE_WIDTH : null));
    return `${name.replace(/[\\,]/g, "\\$&")}${size === null ? "" : `.${size}`}`;
  });
  const text = written.join(",");
  return text === USUAL_COLUMNS ? "" : text;
}

const clampedWidth = (width) => Math.round(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, width)));

// An attribute's value by its dotted key, whether dots are names inside names or in a name.
function attributeAt(value, key) {
  if (value === null || typeof value !== "object") return undefined;
  if (Object.hasOwn(value, key)) return value[key];
  for (let at = key.indexOf("."); at > 0; at = key.indexOf(".", at + 1)) {
    const head = key.slice(0, at);
    const found = Object.hasOwn(value, head) ? attributeAt(value[head], key.slice(at + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

// The beginning of a value as text; a huge one costs no more than a small one.
function briefly(value, room = 300) {
  if (typeof value === "string") return cleanText(value.slice(0, room)).replaceAll("\n", "↵");
  if (value === null || typeof value !== "object") return String(value);
  const isList = Array.isArray(value);
  let text = isList ? "[" : "{";
  for (const name in value) {
    if (text.length > 1) text += ", ";
    if (text.length > room) return `${text}…`;
    if (!isList) text += `${cleanText(name.slice(0, room))}: `;
    text += briefly(value[name], Math.max(20, room - text.length));
  }
  return text + (isList ? "]" : "}");
}

// [[key, share of the lines that carry it]], most frequent first, of the newest loaded lines.
function attributeShares(rows) {
  const counts = new Map();
  const newest = rows.slice(-1000);
  const note = (value, prefix, depth) => {
    let left = 200; // names of one level; more are data, not names
    for (const name in value) {
      if (!left--) return;
      const key = prefix + name;
      const child = value[name];
      const isInner = depth < 5 && child !== null && typeof child === "object" && !Array.isArray(child);
      if (isInner) note(child, `${key}.`, depth + 1);
      else if (key.length < 200) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  };
  for (const { line } of newest) if (line.metadata && typeof line.metadata === "object") note(line.metadata, "", 0);
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([key, count]) => [key, count / newest.length]);
}
