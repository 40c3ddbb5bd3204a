// What reading does not need, and a hurried reader likes: keys, word of new
// findings, and whether the page is still live. The pages work without it.
(function () {
  "use strict";
  var title = document.title;
  var fresh = 0;

  function cards() { return Array.prototype.slice.call(document.querySelectorAll(".card")); }
  function ids() { return new Set(cards().map(function (c) { return c.dataset.id; })); }
  var known = ids();

  // Findings that came since the page was opened are pointed out, to eyes and
  // to readers of screens, and counted in the title while nobody looks.
  function arrived() {
    var added = cards().filter(function (c) { return c.dataset.id && !known.has(c.dataset.id); });
    known = ids();
    if (added.length === 0) return;
    added.forEach(function (c) { c.classList.add("fresh"); });
    var first = added[0].querySelector(".go");
    var say = document.getElementById("say");
    if (say) say.textContent = (added.length === 1 ? "New finding: " : added.length + " new findings, the first: ") + first.textContent;
    if (document.hidden) {
      fresh += added.length;
      document.title = "(" + fresh + ") " + title;
    }
  }

  function live(state, word) {
    var mark = document.getElementById("live-mark");
    if (!mark) return;
    mark.className = "live " + state;
    mark.textContent = word;
  }

  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) { fresh = 0; document.title = title; }
  });
  // A page that nobody looks at asks less often: once in ten of its turns.
  var turn = 0;
  document.addEventListener("htmx:before:request", function (e) {
    if (document.hidden && ++turn % 10 !== 0) e.preventDefault();
  });
  document.addEventListener("htmx:before:response", function (e) {
    var status = e.detail.ctx.response.status;
    if (status === 200 || status === 304) {
      live("on", "live");
    } else {
      // What is on the page stays: an error must not wipe out a finding.
      live("lost", "no fresh data (" + status + ")");
      e.preventDefault();
    }
  });
  document.addEventListener("htmx:error", function () { live("lost", "connection lost, trying again"); });
  document.addEventListener("htmx:after:swap", arrived);

  function step(by) {
    var list = cards().map(function (c) { return c.querySelector(".go"); });
    if (list.length === 0) return;
    var at = list.indexOf(document.activeElement);
    at = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by));
    list[at].focus();
    list[at].closest(".card").scrollIntoView({ block: "nearest" });
  }
  function follow(selector) {
    var a = document.querySelector(selector);
    if (a) a.click();
  }
  function help() {
    var box = document.getElementById("help");
    if (!box) return;
    if (box.open) box.close(); else box.showModal();
  }

  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (e.target.closest && e.target.closest("input, textarea, select, [contenteditable]")) return;
    switch (e.key) {
      case "j": step(1); break;
      case "k": step(-1); break;
      case "n": follow("a[rel=next]"); break;
      case "p": follow("a[rel=prev]"); break;
      case "u": follow("a.back"); break;
      case "s": follow("nav a[data-key=s]"); break;
      case "?": help(); break;
      default: return;
    }
    e.preventDefault();
  });
  document.addEventListener("click", function (e) {
    if (e.target.closest && e.target.closest(".keys")) help();
  });
  var keys = document.querySelector(".keys");
  if (keys) keys.hidden = false;
})();
