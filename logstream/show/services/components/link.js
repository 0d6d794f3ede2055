// A link to another page that can be opened in a new tab; a plain click loads nothing anew.
function link(words, go) {
  const made = element("a", "small", words);
  made.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    leaveInOneStep();
    go();
  };
  return made;
}
