// What the browser keeps for us: the page's URL, the reader's preferences, the theme.

// The feed owns `line` and the options in the page's URL; changing them needs no rerun.
function writeUrl(feed) {
  if (feed.isLeaving) return;
  const url = new URL(location.href);
  const before = url.search;
  const wanted = feed.openId === null || feed.openId < 1 ? null : String(feed.openId);
  if (wanted === null) url.searchParams.delete("line");
  else if (url.searchParams.get("line") !== wanted) url.searchParams.set("line", wanted);
  feed.options.writeTo(url.searchParams);
  if (url.search !== before) history.replaceState(history.state, "", url);
}

function readUrl(feed) {
  feed.readMoment();
  const line = new URL(location.href).searchParams.get("line");
  if (line && line !== String(feed.openId)) feed.openLine(Number(line));
  else if (!line && feed.openId !== null && feed.openId > 0) feed.closeLine();
  writeUrl(feed); // an older entry of the history knows older options
}

// A link that another person can open later: the relative range becomes absolute.
function linkTo(feed, id) {
  feed.writeMoment();
  const url = new URL(location.href);
  // A moment of the past holds a relative range still by itself.
  if (feed.filter.rangeSeconds && !feed.isPlaying) {
    const { moment } = feed;
    const [start] = windowOf(feed.filter, moment);
    url.searchParams.delete("range");
    url.searchParams.set("from", new Date(start.ms).toISOString());
    url.searchParams.set("to", new Date(Math.ceil(moment.ms / 1000) * 1000).toISOString());
  }
  feed.options.writeTo(url.searchParams);
  if (id > 0) url.searchParams.set("line", String(id));
  return url.href;
}

function isDark(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = "#ffffff";
  probe.fillStyle = colour.trim();
  const value = probe.fillStyle;
  const [red, green, blue] = value.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16))
    : value.match(/[\d.]+/g).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

// Storage can be forbidden; a preference is not worth an error.
function readPreference(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function writePreference(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // the choice then lasts as long as the page
  }
}
