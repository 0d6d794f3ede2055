// Scales, ticks and the words beside them.

const TICK_SECONDS = [
  60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
  ...[1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825].map((days) => days * 86_400),
];
const DAY = 86_400;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const TOPS = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10];

// The least round number that is no less than `count`, and whose half is a whole number.
function niceTop(count, least) {
  const wanted = Math.max(count, least);
  let unit = 1;
  while (wanted > 10 * unit) unit *= 10;
  return TOPS.map((step) => step * unit).find((top) => wanted <= top && top % 2 === 0);
}

function shortCount(count) {
  const round = (value) => String(Math.round(value * 10) / 10);
  if (count >= 1e9) return `${round(count / 1e9)}G`;
  if (count >= 1e6) return `${round(count / 1e6)}M`;
  return count >= 1e3 ? `${round(count / 1e3)}k` : String(count);
}

const localDate = (clock, seconds) => new Date(seconds * 1000 + clock.offset(seconds * 1000));

function dayWords(clock, seconds) {
  const d = localDate(clock, seconds);
  return `${DAYS[d.getUTCDay()]} ${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
}

function clockWords(clock, seconds) {
  const d = localDate(clock, seconds);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

function durationWords(seconds) {
  const [length, unit] = seconds % DAY === 0 ? [DAY, "day"] : seconds % 3600 === 0 ? [3600, "h"] : [60, "min"];
  const amount = seconds / length;
  return `${thousands(amount)} ${unit}${unit === "day" && amount !== 1 ? "s" : ""}`;
}

// `09:21 – 09:24`; with the day where it is not the same, whole days without a time of day.
function spanWords(clock, start, end) {
  const day = dayWords(clock, start);
  const [from, to] = [clockWords(clock, start), clockWords(clock, end)];
  if (from === "00:00" && to === "00:00" && end - start >= DAY) return `${day} – ${dayWords(clock, end)}`;
  return day === dayWords(clock, end) ? `${from} – ${to}` : `${day} ${from} – ${dayWords(clock, end)} ${to}`;
}

const zoneWords = (clock) => clock.zone.split("/").pop().replaceAll("_", " ");

// Where the zone's clock shows whole steps: [{at (seconds), label}], at most `most` of them.
function timeTicks(clock, from, to, most) {
  const step = TICK_SECONDS.find((seconds) => (to - from) / seconds <= most) ?? TICK_SECONDS.at(-1);
  const offset = (seconds) => clock.offset(seconds * 1000) / 1000;
  const ticks = [];
  for (let local = Math.ceil((from + offset(from)) / step) * step; ; local += step) {
    // The offset in force where that local time is; a change may skip it or show it twice.
    const near = local - offset(local - offset(local));
    if (near > to) return ticks;
    if (near < from || near <= (ticks.at(-1)?.at ?? -Infinity)) continue;
    ticks.push({ at: near, label: tickWords(clock, near, step) });
  }
}

function tickWords(clock, at, step) {
  const d = localDate(clock, at);
  if (step >= 28 * DAY) return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  const isMidnight = !d.getUTCHours() && !d.getUTCMinutes();
  return isMidnight || step >= DAY ? dayWords(clock, at) : clockWords(clock, at);
}
