// What stands around the rows: counts, buttons, panels, and the state that the pill shows.

const BANNER_AFTER_MS = 3000;

const shared = (globalThis.__logstream ??= { feeds: new Map(), status: null, events: new EventTarget() });

function showAround(feed) {
  const { store, source } = feed;
  const state = source.state;
  const isPaused = store.isPaused && store.pausedBy !== "press";
  const waiting = store.waiting.length;
  const rate = source.linesPerSecond;
  const parts = [`${thousands(store.rows.length)} loaded`];
  if (source.isOpen) parts.push(`${rate >= 10 || rate === 0 ? thousands(rate) : rate.toFixed(1)} lines/s`);
  if (source.skipped) parts.push(`up to ${thousands(source.skipped)} not loaded`);
  setText(feed.count, parts.join(" · "));
  feed.count.title =
    "Lines loaded here · lines received a second, whatever the filter" +
    (source.skipped ? " · lines that came too fast to load; scroll down or narrow the filter to see them" : "");
  feed.pauseButton.hidden = Boolean(source.isPlayback); // the player has one
  setText(feed.pauseButton, isPaused ? "Resume" : "Pause");
  feed.pauseButton.title = isPaused ? "Show new lines again (p)" : "Hold the lines still (p)";
  feed.pauseButton.classList.toggle("on", isPaused);
  feed.wrapButton.setAttribute("aria-pressed", String(feed.wrap));
  feed.news.hidden = !(isPaused && waiting);
  setText(feed.news, `${thousands(waiting)} new ↑`);
  feed.news.title = "Show the newest lines";
  const hasRows = store.rows.length > 0;
  feed.skeleton.hidden = hasRows || source.hasLoaded || state === "degraded";
  feed.panel.show(
    hasRows ? ""
    : state === "degraded" ? "failed"
    : !source.hasLoaded ? ""
    : feed.filter.active.length ? "no-match"
    : "empty",
  );
  // A restart of the service is over sooner than a banner is read.
  if (state !== "degraded") feed.degradedSince = 0;
  else feed.degradedSince ||= Date.now();
  const isLasting = feed.degradedSince > 0 && Date.now() - feed.degradedSince >= BANNER_AFTER_MS;
  feed.banner.hidden = !(hasRows && isLasting);
  if (!feed.banner.hidden) setText(feed.banner, `These lines may be old: ${source.httpError}. Trying again.`);
  setText(
    feed.foot,
    !hasRows ? ""
    : source.isLoadingOlder ? "Loading older lines …"
    : store.rows.length >= MAX_ROWS ? `${thousands(MAX_ROWS)} lines are loaded; narrow the time to see older ones`
    : source.hasAllOlder ? "No older lines match"
    : "",
  );
}

// {state, words, waiting, sentence} for the state pill.
function statusOf(feed) {
  const { store, source } = feed;
  if (source.isPlayback) return playbackStatus(feed.player);
  const isPaused = store.isPaused && store.pausedBy !== "press";
  const waiting = store.waiting.length;
  const state = source.state;
  if (isPaused && (state === "live" || state === "listening")) {
    return { state: "paused", words: waiting ? `paused, ${thousands(waiting)} new` : "paused", waiting,
      sentence: "New lines wait until you resume or scroll to the newest line." };
  }
  const sentences = {
    live: "Lines appear as soon as they are stored.",
    listening: "Connected; no line has come in the last 10 seconds.",
    connecting: "Opening the connection to the push hub.",
    reconnecting: "The connection was lost; trying again. Lines missed meanwhile are fetched.",
    polling: "The push hub cannot be reached: asking for new lines every 2 seconds, and trying the hub again.",
    spooling: "The database is away: these are the last lines the service holds in memory, asked for every 2 seconds. They are safe in its spool.",
    degraded: `What is shown may be old: ${source.httpError}.`,
  };
  return { state, words: state, waiting, sentence: sentences[state] };
}

function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

function publishStatus(status) {
  const key = JSON.stringify(status);
  if (key === shared.statusKey) return;
  shared.statusKey = key;
  shared.status = status;
  shared.events.dispatchEvent(new Event("status"));
}

function skeletonRows() {
  return Array.from({ length: 14 }, (_, i) => {
    const row = element("div", "ghost");
    for (const width of [80, 50, 90, 220 + ((i * 97) % 260)]) {
      const bar = element("span");
      bar.style.width = `${width}px`;
      row.append(bar);
    }
    return row;
  });
}
