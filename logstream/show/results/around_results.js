// What stands around the found lines: how many there are, how far the search came, what to do next.

function showAroundResults(view) {
  const { store, source } = view;
  const { rows } = store;
  const isFailed = source.state === "degraded";
  const hasRows = rows.length > 0;
  setText(view.count, view.told || countWords(source));
  view.count.title = countTitle(source, rows.length);
  view.wrapButton.setAttribute("aria-pressed", String(view.wrap));
  view.news.hidden = !source.newer;
  setText(view.news, `${plural(source.newer, "newer line")}: refresh`);
  view.box.classList.toggle("searching", source.isSearching);
  view.scroller.setAttribute("aria-busy", String(source.isSearching));
  view.skeleton.hidden = hasRows || source.hasLoaded || isFailed;
  view.panel.show(
    hasRows || source.isSearching ? ""
    : isFailed ? "failed"
    : !source.hasLoaded ? ""
    : source.cursor ? "not-yet"
    : "no-match",
  );
  view.banner.hidden = !(hasRows && isFailed);
  if (!view.banner.hidden) setText(view.banner, `More lines could not be read: ${source.httpError}.`);
  showFoot(view, hasRows);
}

// "1,234 of 98,000 lines"
function countWords({ matches, all }) {
  if (matches === null) return "";
  const isPart = all !== null && all > matches;
  return isPart ? `${thousands(matches)} of ${plural(all, "line")}` : plural(matches, "line");
}

function countTitle({ matches, all }, loaded) {
  const parts = [`${plural(loaded, "line")} loaded here`];
  if (matches !== null) parts.unshift(`${plural(matches, "line")} found`);
  if (all !== null) parts.push(`${plural(all, "line")} in this time, whatever else is filtered`);
  return parts.join(" · ");
}

function showFoot(view, hasRows) {
  const { source, store } = view;
  const [words, label, title] = footOf(view, store.rows.length);
  const key = hasRows ? `${words}|${label}` : "";
  if (view.footKey === key && view.foot.isConnected && view.footIn === view.foot) return;
  view.footKey = key;
  view.footIn = view.foot;
  view.foot.replaceChildren();
  if (!key) return;
  const cell = element("div");
  cell.setAttribute("role", "gridcell");
  cell.append(element("span", "", words));
  if (label) cell.append(button("action more", label, title, () => view.goOn()));
  view.foot.setAttribute("role", "row");
  view.foot.append(cell);
}

// [words, label of the button or "", its title]: honest about how far the search came.
function footOf(view, loaded) {
  const { source } = view;
  const moment = (time) => view.momentWords(time);
  if (source.isLoadingOlder) return ["Searching older lines …", "", ""];
  if (source.hasAllOlder) return [endWords(view, loaded), "", ""];
  if (source.httpError) return ["More lines could not be read.", "Try again", "Ask for them again"];
  if (source.isFull) {
    return [`${thousands(loaded)} lines are loaded, which is the most at once.`, "Go on from here", "Let these lines go and show the older ones"];
  }
  if (!source.isComplete) {
    return [`Searched back to ${moment(readTime(source.searchedTo))} (time limit).`, "Go on searching", "Search further back"];
  }
  const of = source.matches === null ? "" : ` of ${thousands(source.matches)}`;
  return [`${thousands(loaded)}${of} loaded.`, "Load more", "Load the next lines"];
}

// "Every line from 13:00 to 14:00 is here: 1,234"
function endWords(view, loaded) {
  const { window: [start, end], moment, olderThan } = view.source;
  const last = olderThan ?? (end && compareTimes(end, moment) < 0 ? end : moment);
  const from = start ? ` from ${view.momentWords(start)}` : "";
  return `Every line${from} to ${view.momentWords(last)} is here: ${thousands(loaded)}`;
}
