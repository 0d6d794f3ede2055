// What stands around the rows: counts, buttons, panels, and the state that the pill shows.

const BANNER_AFTER_MS = 3000;
const RUNG_WORDS = { push: "pushed", relay: "relayed", poll: "polled" };

function showAround(feed) {
  const { store, source } = feed;
  const state = source.state;
  const { isPaused, waitingCount: waiting } = store;
  const rate = source.linesPerSecond;
  const parts = [`${thousands(store.rows.length)} loaded`];
  if (feed.head.left) parts.unshift(`${MOST_COLUMNS} of ${thousands(MOST_COLUMNS + feed.head.left)} columns`);
  if (source.isOpen) {
    const words = `${rate >= 10 || rate === 0 ? thousands(rate) : rate.toFixed(1)} lines/s`;
    // The rate is of every line; beside fewer shown ones it must say so.
    const isNarrowed = feed.filter.active.some(({ field }) => field !== "range");
    parts.push(isNarrowed && !source.isPlayback && !feed.isNarrow ? `${words} in all` : words);
  }
  setText(feed.count, feed.told || parts.join(" · "));
  feed.count.title =
    "Lines loaded here · lines received a second, whatever the filter" +
    (source.skipped ? ` · ${plural(source.skipped, "line")} came too fast and were left out` : "");
  showSampled(feed);
  feed.pauseButton.hidden = Boolean(source.isPlayback); // the player has one
  setText(feed.pauseButton, isPaused ? "Resume" : "Pause");
  feed.pauseButton.title = isPaused ? "Show new lines again (p)" : "Hold the lines still (p)";
  feed.pauseButton.classList.toggle("on", isPaused);
  feed.wrapButton.setAttribute("aria-pressed", String(feed.wrap));
  feed.news.hidden = !(isPaused && waiting);
  setText(feed.news, `${thousands(waiting)} new ${feed.list.isNewestLast ? "↓" : "↑"}`);
  feed.news.title = store.waitingDropped
    ? `Show the newest lines; ${thousands(store.waitingDropped)} older ones can be loaded then`
    : "Show the newest lines";
  feed.since.hidden = !(feed.visit.hasNews && feed.news.hidden);
  if (!feed.since.hidden) setText(feed.since, `${feed.visit.count} since your last visit`);
  const hasRows = store.rows.length > 0;
  feed.skeleton.hidden = hasRows || source.hasLoaded || state === "degraded";
  feed.panel.show(
    hasRows ? ""
    : state === "degraded" ? "failed"
    : !source.hasLoaded ? ""
    : feed.filter.active.length || feed.player.isOn ? "no-match"
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

// "showing 2,000 of 5,000 lines/s", and what can be done about it.
function showSampled(feed) {
  const { source } = feed;
  const words = source.sampled ?? "";
  feed.sampled.hidden = !words;
  feed.box.classList.toggle("with-sample", Boolean(words));
  if (!words) return;
  const [rest, narrow] = feed.sampled.querySelectorAll("button");
  setText(feed.sampled.querySelector(".sampled-words"), words);
  feed.sampled.title =
    "More lines match than anybody can read: an even sample of them is loaded. " +
    `${plural(source.skipped, "line")} left out so far; those of the last minute can be loaded.`;
  rest.disabled = !source.canLoadRest;
  rest.onclick = () => source.loadRest();
  narrow.onclick = () => {
    const services = document.querySelector(".st-key-services input");
    if (services) services.focus();
    else focusSearch();
  };
}

// {state, rung, words, waiting, sentence} for the state pill.
function statusOf(feed) {
  const { store, source } = feed;
  if (source.isPlayback) return playbackStatus(feed.player);
  const { isPaused, waitingCount: waiting } = store;
  const { state, rung } = source;
  if (isPaused && (state === "live" || state === "listening")) {
    return { state: "paused", rung, words: waiting ? `paused, ${thousands(waiting)} new` : "paused", waiting,
      sentence: "New lines wait until you resume or scroll to the newest line." };
  }
  const sentences = {
    live: "Lines appear as soon as they are stored.",
    listening: "Connected; no line has come in the last 10 seconds.",
    connecting: "Opening the connection to the push hub.",
    reconnecting: "The connection was lost; trying again. Lines missed meanwhile are fetched.",
    polling: "Lines cannot be pushed: asking for new ones every 2 seconds, and trying the push hub again.",
    spooling: "The database is away: these are the last lines the service holds in memory, asked for every 2 seconds. They are safe in its spool.",
    degraded: `What is shown may be old: ${source.httpError}.`,
  };
  const parts = [sentences[state]];
  if (rung === "relay") parts.push("This browser cannot reach the push hub; the dashboard listens for it.");
  if (source.isLight && rung === "push") parts.push("The connection is slow: only a sample of the lines is sent.");
  if (source.problem) parts.push(`${source.problem.replace(/\.$/, "")}.`);
  const words = state !== "live" ? state : `live · ${source.isLight && rung === "push" ? "slow line" : RUNG_WORDS[rung]}`;
  return { state, rung, words, waiting, sentence: parts.join(" ") };
}
