// Going to another page is one step of the browser's history.

const LEAVING_MS = 4000;

// Streamlit makes several of it: this page under the other's query, then the other page. Back
// would lead to the first ones, which nobody has seen: they are left out. Called when a click is
// about to lead away; `owner.isLeaving` is true meanwhile.
function leaveInOneStep(owner = {}) {
  let search = null;
  const end = () => {
    delete history.pushState;
    owner.isLeaving = false;
  };
  const giveUp = setTimeout(end, LEAVING_MS);
  owner.isLeaving = true;
  history.pushState = (state, title, address) => {
    const url = new URL(address ?? location.href, location.href);
    if (url.pathname === location.pathname) {
      search = url.search;
      return;
    }
    delete history.pushState;
    clearTimeout(giveUp);
    url.search = search ?? url.search;
    history.pushState(state, title, url);
    setTimeout(end, LEAVING_MS);
  };
}
