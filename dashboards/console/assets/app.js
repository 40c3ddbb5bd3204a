// What reading does not need, and a hurried reader likes: keys, word of what changed as it
// does, times in one's own zone. The pages work without it.
(function () {
  "use strict";
  function one(selector) { return document.querySelector(selector); }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function kept(name, value) { // in this browser, where it lets us
    try {
      if (value !== undefined) localStorage.setItem(name, value);
      return localStorage.getItem(name);
    } catch (e) { return null; }
  }

  // The policy of the page lets strings become markup only through a policy of this name,
  // and htmx alone gets it: for the answers of our own server, which it asks for.
  if (window.trustedTypes && window.htmx) {
    var policy = trustedTypes.createPolicy("vigil", { createHTML: function (text) { return text; } });
    htmx.registerExtension("vigil-trusted", { init: function (inside) { inside.initSecurity(policy); } });
  }

  // New findings are pointed out, to eyes and to readers of screens, and counted in the
  // title while nobody looks.
  var title = document.title;
  var fresh = 0;
  function cards() { return all(".card"); }
  function ids() { return new Set(cards().map(function (c) { return c.dataset.id; })); }
  var known = ids();
  function arrived() {
    var added = cards().filter(function (c) { return c.dataset.id && !known.has(c.dataset.id); });
    known = ids();
    if (added.length === 0) return;
    added.forEach(function (c) { c.classList.add("fresh"); });
    var first = added[0].querySelector(".go");
    var say = document.getElementById("say");
    if (say && first) say.textContent = (added.length === 1 ? "New finding: " : added.length + " new findings, the first: ") + first.textContent;
    if (document.hidden) {
      fresh += added.length;
      document.title = "(" + fresh + ") " + title;
    }
  }

  // The live part of a page renews itself: when the stream says that its topics changed,
  // and else, or while there is no stream, once in a while.
  var part = document.getElementById("live");
  var topics = part && part.dataset.topics ? part.dataset.topics.split(" ") : [];
  var stream = null, last = "", wait = 1000, again = 0;
  var told = false; // the next request follows from the stream
  function streaming() { return stream !== null && stream.readyState === 1; }
  function mark(state, word) {
    var m = document.getElementById("live-mark");
    if (!m) return;
    m.className = "live " + state;
    if (m.textContent !== word) m.textContent = word;
  }
  function renew() {
    told = true;
    htmx.trigger(part, "vigil:changed");
  }
  function listen() {
    clearTimeout(again);
    if (stream || topics.length === 0 || !window.EventSource || document.hidden) return;
    var query = topics.map(function (t) { return "topic=" + encodeURIComponent(t); });
    if (last) query.push("last=" + encodeURIComponent(last));
    var s = stream = new EventSource("/live/events?" + query.join("&"));
    s.addEventListener("open", function () {
      wait = 1000;
      mark("on", "live");
      renew(); // what changed since the page was made
    });
    s.addEventListener("changed", function (e) { last = e.lastEventId; renew(); });
    s.addEventListener("beat", function (e) { last = e.lastEventId; });
    s.addEventListener("error", function () {
      if (s !== stream) return;
      mark("lost", "connection lost, trying again");
      if (s.readyState !== 2) return; // the browser tries again by itself
      deafen();
      again = setTimeout(listen, wait);
      wait = Math.min(wait * 2, 30000);
    });
  }
  function deafen() {
    if (stream) stream.close();
    stream = null;
  }
  // A browser holds few connections to one place: tabs that nobody sees give theirs back.
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { deafen(); return; }
    fresh = 0;
    document.title = title;
    listen();
  });
  window.addEventListener("pagehide", deafen);
  window.addEventListener("pageshow", function (e) { if (e.persisted) listen(); });

  // Who writes, or has chosen something, in the part that renews itself must not lose it.
  function busy() {
    if (!part) return false;
    var at = document.activeElement;
    if (at && part.contains(at) && !at.closest("[hx-morph-skip]") && at.matches("textarea, select, input:not([type=checkbox], [type=radio])")) return true;
    return all("input, textarea, select", part).some(function (f) {
      if (f.type === "hidden" || f.closest("[hx-morph-skip]")) return false; // what is skipped is not lost
      if (f.type === "checkbox" || f.type === "radio") return f.checked !== f.defaultChecked;
      if (f.tagName === "SELECT") return all("option", f).some(function (o) { return o.selected !== o.defaultSelected && all("[selected]", f).length > 0; });
      return f.value !== f.defaultValue;
    });
  }
  var turn = 0;
  document.addEventListener("htmx:before:request", function (e) {
    if (e.target !== part) return;
    var asked = told;
    told = false;
    if (busy()) {
      mark("held", "held while you write");
      e.preventDefault();
      return;
    }
    // A page that nobody looks at, or that is told of what changes, asks less often.
    if (!asked && (document.hidden || streaming()) && ++turn % 10 !== 0) e.preventDefault();
  });
  document.addEventListener("htmx:before:response", function (e) {
    var status = e.detail.ctx.response.status;
    if (status === 200 || status === 304) {
      mark("on", "live");
    } else {
      // What is on the page stays: an error must not wipe out a finding.
      mark("lost", status === 401 ? "signed out: reload to sign in" : "no fresh data (" + status + ")");
      e.preventDefault();
    }
  });
  document.addEventListener("htmx:before:swap", function (e) { // somebody began to write meanwhile
    if (busy()) e.preventDefault();
  });
  document.addEventListener("htmx:error", function () { mark("lost", "connection lost, trying again"); });
  document.addEventListener("htmx:after:swap", function () { arrived(); zoned(); });

  // Times are told in UTC; the browser's own stand beside them, or in their place.
  var own = kept("vigil-zone") === "own";
  var zone = one(".zone");
  function local(t) {
    var d = new Date(t.getAttribute("datetime"));
    return isNaN(d) ? "" : d.toLocaleString(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  }
  function zoned() {
    all("time[datetime]").forEach(function (t) {
      var utc = t.dataset.utc || t.textContent;
      var here = local(t);
      if (!here || !/\d\d:\d\d/.test(utc)) return;
      t.title = own ? utc + " UTC" : here;
      if (own) t.dataset.utc = utc; else delete t.dataset.utc;
      var text = own ? here : utc;
      if (t.textContent !== text) t.textContent = text;
    });
    if (zone) {
      zone.setAttribute("aria-pressed", String(own));
    }
  }
  if (zone) {
    zone.hidden = false;
    zone.addEventListener("click", function () {
      own = !own;
      kept("vigil-zone", own ? "own" : "utc");
      zoned();
    });
  }
  zoned();

  // Keys. What a page's own key does is written at what it does it to: data-key is the
  // key, or two of them parted by a space; data-does what the help says of it.
  var on = kept("vigil-keys") !== "off";
  var before = "";
  function rows() { return all(".go, [data-step]"); }
  function row() {
    var at = document.activeElement;
    return at && at.closest ? at.closest("[data-row], .card, li, tr") : null;
  }
  function step(by) {
    var list = rows();
    if (list.length === 0) return;
    var at = list.indexOf(document.activeElement);
    if (at < 0) at = list.findIndex(function (x) { return row() && row().contains(x); });
    at = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by));
    list[at].focus();
    (list[at].closest("[data-row], .card, li, tr") || list[at]).scrollIntoView({ block: "nearest" });
  }
  function press(x) {
    if (!x) return false;
    if (x.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])")) x.focus();
    else if (x.tagName === "DETAILS") { x.open = !x.open; one("#" + CSS.escape(x.id) + " > summary").focus(); }
    else x.click();
    return true;
  }
  function help() {
    var box = document.getElementById("help");
    if (!box) return;
    if (box.open) { box.close(); return; }
    var here = document.getElementById("help-here");
    here.textContent = "";
    var named = {};
    all("[data-key][data-does]").forEach(function (x) {
      if (named[x.dataset.key] || x.disabled) return;
      named[x.dataset.key] = true;
      var dt = document.createElement("dt"), dd = document.createElement("dd");
      x.dataset.key.split(" ").forEach(function (k) {
        var kbd = document.createElement("kbd");
        kbd.textContent = k;
        dt.append(kbd, " ");
      });
      dd.textContent = x.dataset.does;
      here.append(dt, dd);
    });
    box.showModal();
  }
  function does(key) {
    var sequence = before ? before + " " + key : key;
    before = "";
    if (press(one('[data-key="' + CSS.escape(sequence).replace(/\\ /g, " ") + '"]'))) return true;
    if (sequence !== key) return false;
    var r = row();
    switch (key) {
      case "j": step(1); return true;
      case "k": step(-1); return true;
      case "o": return press(r && r.querySelector(".go, [data-step]"));
      case "x": return press(r && r.querySelector("input[type=checkbox]"));
      case "n": return press(one("a[rel=next]"));
      case "p": return press(one("a[rel=prev]"));
      case "u": return press(one("a.back"));
      case "?": help(); return true;
    }
    if (one('[data-key^="' + CSS.escape(key) + ' "]')) { before = key; return true; }
    return false;
  }
  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || e.key.length !== 1 || e.key === " ") return;
    var at = e.target;
    if (at.closest && at.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])")) return;
    var box = document.getElementById("help");
    if (box && box.open ? e.key !== "?" : !on && e.key !== "?") return;
    if (does(e.key)) e.preventDefault();
  });
  document.addEventListener("click", function (e) {
    if (e.target.closest && e.target.closest(".keys")) help();
    // One menu at a time, and none once somebody presses elsewhere.
    all("details.menu[open]").forEach(function (m) { if (!m.contains(e.target)) m.open = false; });
  });
  document.addEventListener("keydown", function (e) {
    if (e.key !== "Escape") return;
    all("details.menu[open]").forEach(function (m) { m.open = false; m.firstElementChild.focus(); });
  });
  var keys = one(".keys");
  if (keys) keys.hidden = false;
  var tick = document.getElementById("keys-on");
  if (tick) {
    tick.checked = on;
    tick.addEventListener("change", function () { on = tick.checked; kept("vigil-keys", on ? "on" : "off"); });
  }
  listen();
})();
