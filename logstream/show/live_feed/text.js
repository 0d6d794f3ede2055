// Log text and times as people read them. Log text is untrusted: everything here gives plain
// strings or text nodes, never markup.

const ESCAPES = new RegExp(
  "[\\u001b\\u009b](?:[@-Z\\\\^_]|\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?)?",
  "g",
);
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

// Terminal escapes removed; other control characters and those that reorder text (they can make
// a line read as something it is not) shown as their escapes.
function cleanText(text) {
  return String(text)
    .replace(/\r\n?/g, "\n")
    .replace(ESCAPES, "")
    .replace(CONTROLS, (c) => {
      const code = c.charCodeAt(0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code}`;
    });
}

const FOLDED_LINES = 4;

// {text, hidden}: the first `count` non-empty-led lines of a message and how many are left.
function foldText(text, count) {
  const lines = text.split("\n");
  while (lines.length > 1 && !lines[0].trim()) lines.shift();
  while (lines.length > 1 && !lines[lines.length - 1].trim()) lines.pop();
  return { text: lines.slice(0, count).join("\n"), hidden: Math.max(0, lines.length - count) };
}

// Text nodes and <mark>s: the parts of `text` that the text query found.
function markedNodes(text, parts) {
  const lowered = folded(text);
  const nodes = document.createDocumentFragment();
  if (!parts.length || lowered.length !== text.length) {
    nodes.append(text);
    return nodes;
  }
  const spans = [];
  for (const part of parts) {
    for (const { 0: found, index } of lowered.matchAll(expressionOf(part))) {
      if (spans.length >= 200) break;
      if (found) spans.push([index, index + found.length]);
    }
  }
  spans.sort((a, b) => a[0] - b[0]);
  let done = 0;
  for (const [from, to] of spans) {
    if (to <= done) continue;
    const begin = Math.max(from, done);
    if (begin > done) nodes.append(text.slice(done, begin));
    const mark = document.createElement("mark");
    mark.textContent = text.slice(begin, to);
    nodes.append(mark);
    done = to;
  }
  if (done < text.length) nodes.append(text.slice(done));
  return nodes;
}

const two = (n) => String(n).padStart(2, "0");
const three = (n) => String(n).padStart(3, "0");
const grouped = new Intl.NumberFormat("en-US"); // toLocaleString makes one on every call
const thousands = (n) => grouped.format(Math.round(n));
const plural = (n, word) => `${thousands(n)} ${word}${n === 1 ? "" : "s"}`;

// One zone's clock. Asking Intl for every row is slow; offsets only change on quarter hours,
// so one answer a quarter hour is enough.
class Clock {
  constructor(zone) {
    this.offsets = new Map();
    try {
      this.zone = zone && zone !== "local" ? zone : Intl.DateTimeFormat().resolvedOptions().timeZone;
      this.format = new Intl.DateTimeFormat("en-US", {
        timeZone: this.zone, hourCycle: "h23", era: "short",
        year: "numeric", month: "numeric", day: "numeric",
        hour: "numeric", minute: "numeric", second: "numeric",
      });
    } catch {
      this.zone = "UTC";
      this.format = null;
    }
  }

  offset(ms) {
    if (!this.format) return 0;
    const quarter = Math.floor(ms / 900_000);
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      const at = quarter * 900_000;
      const part = {};
      for (const { type, value } of this.format.formatToParts(at)) part[type] = value;
      const year = part.era === "BC" ? 1 - part.year : +part.year;
      const local = new Date(0);
      local.setUTCFullYear(year, part.month - 1, +part.day);
      local.setUTCHours(+part.hour, +part.minute, +part.second);
      if (this.offsets.size > 5000) this.offsets.clear();
      this.offsets.set(quarter, (offset = local.getTime() - at));
    }
    return offset;
  }

  time(ms) {
    const d = new Date(ms + this.offset(ms));
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}.${three(d.getUTCMilliseconds())}`;
  }

  date(ms) {
    const d = new Date(ms + this.offset(ms));
    return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  }

  full(ms) {
    const minutes = Math.round(this.offset(ms) / 60_000);
    const sign = minutes < 0 ? "−" : "+";
    const ahead = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
    return `${this.date(ms)} ${this.time(ms)} ${this.zone}${this.zone === "UTC" ? "" : ` (${ahead})`}`;
  }
}

// `3 s ago`, `in 2 h`: never more than two units wide.
function ageWords(ms, nowMs) {
  const seconds = Math.abs(nowMs - ms) / 1000;
  const [count, unit] =
    seconds < 1 ? [0, ""]
    : seconds < 90 ? [seconds, "s"]
    : seconds < 5400 ? [seconds / 60, "min"]
    : seconds < 129_600 ? [seconds / 3600, "h"]
    : [seconds / 86_400, "days"];
  if (!unit) return "now";
  const words = `${thousands(count)} ${unit}`;
  return ms > nowMs ? `in ${words}` : `${words} ago`;
}

// Works on http pages too, where navigator.clipboard does not exist.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.cssText = "position:fixed;top:0;left:0;opacity:0";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(className, text, title, onClick) {
  const made = element("button", className, text);
  made.type = "button";
  made.title = title;
  // Spoken instead of the text only where it says more: signs, and words it contains.
  if (!/\p{L}/u.test(text) || title.toLowerCase().includes(text.toLowerCase())) {
    made.setAttribute("aria-label", title);
  }
  made.onclick = onClick;
  return made;
}
