// From a line to the waterfall of its trace, its own span selected.

const KEPT_FOR_TRACES = ["env", "range", "from", "to"]; // a search for lines may mean nothing there

// Live lies at the application's own address, every other page beside it.
function traceAddress(feed, line) {
  const url = new URL(location.href);
  const zone = url.searchParams.get("tz");
  url.pathname = `${url.pathname.replace(/(\/explore)?\/?$/, "")}/traces`;
  const kept = KEPT_FOR_TRACES.flatMap((name) => (feed.filter?.url?.[name] ? [[name, feed.filter.url[name]]] : []));
  const wanted = [...kept, ["tz", zone], ["trace", line.traceId], ["span", line.spanId]];
  url.search = new URLSearchParams(wanted.filter(([, value]) => value)).toString();
  url.hash = "";
  return url.href;
}

// A real link, so that it opens in a new tab too; a plain click loads nothing anew.
function traceLink(className, words, feed, line) {
  const link = element("a", className, words);
  link.href = traceAddress(feed, line);
  link.onclick = (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    leaveInOneStep(feed); // the line that is open belongs to this page's address
    feed.ask("open", line.spanId ?? "", line.traceId);
  };
  return link;
}
