// Addresses of traces, so that a new tab, a bookmark and a screen reader find real links.

// Beside the page that is open; `link` are its filters as a query.
function traceAddress(link, id, more = {}) {
  const address = new URL(location.href);
  address.search = new URLSearchParams([...new URLSearchParams(link), ["trace", id], ...Object.entries(more)]).toString();
  address.hash = "";
  return address.href;
}

// A plain click is followed by the page itself, without loading everything anew.
const isPlain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

function traceLink(className, follow) {
  const link = element("a", className);
  link.onclick = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    follow();
  };
  return link;
}
