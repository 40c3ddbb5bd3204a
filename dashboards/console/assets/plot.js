// Plots that can be zoomed, by mouse, finger and keyboard. It makes more of what is
// there: a page without script keeps the picture that stands in the figure.
//
//   <figure class="plot" id="…" data-plot="/some/address.json">…an SVG, words…</figure>
//
// A page that holds one sets base.Plots, so that uPlot and this file are loaded. What the
// address answers is view.Plot as JSON. More may be said in attributes:
//
//   data-zoom    asks the address anew, with ?from=…&to=… (RFC 3339), whenever another
//                span is looked at. Without it all that was answered once is zoomed.
//   data-go      leads to what happened in the span that is looked at: ?from=…&to=…
//                and data-go-hash are added to it. data-go-word is the link's text.
//   data-height  in pixels, 220 when it does not say.
//
// htmx leaves a figure of this class as it is when the page around it renews itself.
(function () {
  "use strict";
  var dark = matchMedia("(prefers-color-scheme: dark)");

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim() || "gray"; }
  function two(n) { return (n < 10 ? "0" : "") + n; }
  var months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function iso(seconds) { return new Date(Math.round(seconds * 1000)).toISOString().replace(/\.000Z$/, "Z"); }
  function when(text) { return text ? Date.parse(text) / 1000 : undefined; }
  function day(d) { return d.getUTCDate() + " " + months[d.getUTCMonth()]; }
  // ticks writes times in UTC, as fine as the steps between them.
  function ticks(splits, step) {
    var last = "";
    return splits.map(function (s) {
      var d = new Date(s * 1000), date = day(d);
      if (step >= 86400) return date;
      var clock = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
      if (step < 60) clock += ":" + two(d.getUTCSeconds());
      if (step < 1) clock += "." + String(d.getUTCMilliseconds()).padStart(3, "0");
      var text = date === last ? clock : clock + "\n" + date;
      last = date;
      return text;
    });
  }
  function moment(s) {
    var d = new Date(s * 1000);
    return day(d) + " " + two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + ":" + two(d.getUTCSeconds());
  }
  function number(v) { return v === null || v === undefined ? "–" : v.toLocaleString("en", { maximumFractionDigits: 3 }); }
  function element(name, parent, text) {
    var e = document.createElement(name);
    if (text) e.textContent = text;
    if (parent) parent.appendChild(e);
    return e;
  }

  function Plot(figure) {
    this.figure = figure;
    this.still = Array.prototype.slice.call(figure.childNodes);
    this.asked = 0;
  }

  // build replaces the still picture once there is something to show.
  Plot.prototype.build = function () {
    var p = this, f = this.figure;
    this.still.forEach(function (n) { f.removeChild(n); });
    var bar = element("div", f);
    bar.className = "plot-bar";
    [["+", "Zoom in", function () { p.zoom(0.5); }], ["−", "Zoom out", function () { p.zoom(2); }],
      ["←", "Earlier", function () { p.move(-0.5); }], ["→", "Later", function () { p.move(0.5); }],
      ["All", "All of it", function () { p.whole(); }]].forEach(function (b) {
      var button = element("button", bar, b[0]);
      button.type = "button";
      button.title = b[1];
      button.setAttribute("aria-label", b[1]);
      button.dataset.plotDo = b[1];
      button.addEventListener("click", b[2]);
    });
    if (f.dataset.go) {
      this.link = element("a", bar, f.dataset.goWord || "What happened then");
      this.link.className = "plot-go";
    }
    this.keys = element("ul", f);
    this.keys.className = "plot-keys";
    this.box = element("div", f);
    this.box.className = "plot-box";
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", (this.data.name || "Plot") + ". Plus and minus zoom, the arrows move, 0 shows all of it.");
    this.under = element("p", f);
    this.under.className = "plot-under";
    this.under.setAttribute("aria-hidden", "true");
    this.said = element("p", f);
    this.said.className = "plot-said";
    this.said.setAttribute("role", "status");
    this.box.addEventListener("keydown", function (e) { p.key(e); });
    this.box.addEventListener("dblclick", function () { p.whole(); });
    f.classList.add("is-live");
    new ResizeObserver(function () { p.size(); }).observe(this.box);
    dark.addEventListener("change", function () { p.draw(); });
  };

  Plot.prototype.key = function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    switch (e.key) {
      case "+": case "=": this.zoom(0.5); break;
      case "-": this.zoom(2); break;
      case "ArrowLeft": this.move(-0.25); break;
      case "ArrowRight": this.move(0.25); break;
      case "0": case "Home": this.whole(); break;
      case "Enter": if (this.link) this.link.click(); break;
      default: return;
    }
    e.preventDefault();
    e.stopPropagation();
  };

  Plot.prototype.zoom = function (by) {
    var mid = (this.from + this.to) / 2, half = (this.to - this.from) / 2 * by;
    this.show(mid - half, mid + half);
  };
  Plot.prototype.move = function (by) {
    var width = this.to - this.from, from = this.from + by * width;
    from = Math.max(this.data.min, Math.min(this.data.max - width, from));
    this.show(from, from + width);
  };
  Plot.prototype.whole = function () { this.show(this.data.min, this.data.max); };

  // show looks at a span, within what there is and no narrower than makes sense.
  Plot.prototype.show = function (from, to) {
    var least = this.data.least || 0, d = this.data;
    if (to - from < least) {
      var mid = (from + to) / 2;
      from = mid - least / 2;
      to = mid + least / 2;
    }
    from = Math.max(from, d.min);
    to = Math.min(to, d.max);
    if (!(to > from) || from === this.from && to === this.to) return;
    this.from = from;
    this.to = to;
    if (this.figure.dataset.zoom === undefined) {
      if (this.chart) this.chart.setScale("x", { min: from, max: to });
      this.tell();
      return;
    }
    this.ask(from, to);
  };

  Plot.prototype.ask = function (from, to) {
    var p = this, turn = ++this.asked, url = new URL(this.figure.dataset.plot, location.href);
    if (from !== undefined) {
      url.searchParams.set("from", iso(from));
      url.searchParams.set("to", iso(to));
    }
    this.figure.setAttribute("aria-busy", "true");
    fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" }).then(function (r) {
      if (!r.ok) throw new Error(String(r.status));
      return r.json();
    }).then(function (data) {
      if (turn !== p.asked) return; // a newer span is on its way
      p.figure.removeAttribute("aria-busy");
      p.data = data;
      p.from = data.from;
      p.to = data.to;
      if (!p.box) p.build();
      p.draw();
      p.tell();
    }).catch(function (e) {
      if (turn !== p.asked) return;
      p.figure.removeAttribute("aria-busy");
      // Without an answer at all the still picture stays.
      if (p.said) p.said.textContent = "This span could not be read just now (" + e.message + "). Try again.";
    });
  };

  Plot.prototype.tell = function () {
    this.figure.dataset.from = iso(this.from);
    this.figure.dataset.to = iso(this.to);
    this.said.textContent = this.data.said || "";
    if (this.link) {
      var url = new URL(this.figure.dataset.go, location.href);
      url.searchParams.set("from", iso(this.from));
      url.searchParams.set("to", iso(this.to));
      url.hash = this.figure.dataset.goHash || "";
      this.link.href = url.pathname + url.search + url.hash;
    }
  };

  Plot.prototype.size = function () {
    if (!this.chart || this.box.clientWidth === 0) return;
    this.chart.setSize({ width: this.box.clientWidth, height: this.height() });
  };
  Plot.prototype.height = function () {
    return Number(this.figure.dataset.height) || Math.max(220, 26 * ((this.data.lanes || []).length + 3));
  };

  // series turns one of the answer's into one of uPlot's.
  Plot.prototype.series = function (s) {
    var line = colour(s.color || "accent"), out = { label: s.name, scale: s.right ? "r" : "y", stroke: line, width: 1.5, points: { show: false } };
    if (s.kind === "bars") {
      out.fill = line;
      out.width = 0;
      // Values stand where their bucket begins: the bar reaches from there on.
      out.paths = uPlot.paths.bars({ align: 1, size: [0.9, 100] });
    } else if (s.kind === "steps") {
      out.paths = uPlot.paths.stepped({ align: 1 });
    } else if (s.kind === "dots") {
      out.width = 0;
      out.paths = function () { return null; };
      out.points = { show: true, size: 7, stroke: line, fill: line };
    }
    return out;
  };

  Plot.prototype.draw = function () {
    var p = this, d = this.data, soft = colour("soft"), grid = { stroke: colour("line"), width: 1 };
    var time = d.x !== "number", font = "12px system-ui, sans-serif";
    var axes = [{ stroke: soft, grid: grid, ticks: grid, font: font, size: time ? 46 : 34, space: 90 },
      { scale: "y", stroke: soft, grid: grid, ticks: grid, font: font, size: 52 }];
    if (time) axes[0].values = function (u, splits, i, space, step) { return ticks(splits, step); };
    if (d.lanes) {
      axes[1].splits = function () { return d.lanes.map(function (_, i) { return i; }); };
      axes[1].values = function () { return d.lanes; };
      axes[1].size = Math.min(170, Math.max(60, p.box.clientWidth * 0.3));
    }
    if (d.series.some(function (s) { return s.right; })) axes.push({ scale: "r", side: 1, stroke: soft, grid: { show: false }, ticks: grid, font: font, size: 52 });
    var range = function (u, low, high) {
      if (d.lanes) return [d.lanes.length - 0.5, -0.5];
      if (low === null) return [0, 1];
      return [Math.min(0, low), high > low || high > 0 ? high * 1.08 : 1];
    };
    var opts = {
      width: this.box.clientWidth || 600, height: this.height(), legend: { show: false },
      tzDate: function (s) { return uPlot.tzDate(new Date(s * 1000), "Etc/UTC"); },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false }, bind: { dblclick: function () { return null; } } },
      scales: { x: { time: time, range: function () { return [p.from, p.to]; } }, y: { range: range }, r: { range: range } },
      axes: axes,
      series: [{}].concat(d.series.map(function (s) { return p.series(s); })),
      hooks: {
        drawClear: [function (u) { p.spans(u); }],
        draw: [function (u) { p.lines(u); }],
        setSelect: [function (u) {
          if (u.select.width < 4) return;
          var from = u.posToVal(u.select.left, "x"), to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          p.show(from, to);
        }],
        setCursor: [function (u) { p.point(u); }]
      }
    };
    this.legend();
    if (this.chart) this.chart.destroy();
    this.chart = new uPlot(opts, [d.at].concat(d.series.map(function (s) { return s.values; })), this.box);
    // A press on a bucket goes into it.
    this.chart.over.addEventListener("click", function () {
      var i = p.chart.cursor.idx;
      if (d.bucket && i !== null && i !== undefined && d.bucket < p.to - p.from) p.show(d.at[i], d.at[i] + d.bucket);
    });
  };

  // legend says which colour is what, and at which side its axis stands.
  Plot.prototype.legend = function () {
    var keys = this.keys, told = {}, sides = this.data.series.some(function (s) { return s.right; });
    keys.textContent = "";
    this.data.series.concat(this.data.spans || []).forEach(function (s) {
      var name = s.name + (sides && s.kind ? s.right ? " (axis at the right)" : " (axis at the left)" : "");
      if (!s.name || told[name]) return;
      told[name] = true;
      var li = element("li", keys);
      element("i", li).style.background = colour(s.color || (s.kind ? "accent" : "span"));
      element("span", li, name);
    });
  };

  // spans shades what is marked, beneath the rest.
  Plot.prototype.spans = function (u) {
    (this.data.spans || []).forEach(function (s) {
      var a = Math.max(u.valToPos(s.from, "x", true), u.bbox.left), b = Math.min(u.valToPos(s.to, "x", true), u.bbox.left + u.bbox.width);
      if (b < u.bbox.left || a > u.bbox.left + u.bbox.width) return;
      u.ctx.save();
      u.ctx.fillStyle = colour(s.color || "span");
      if (s.thin) u.ctx.fillRect(a, u.bbox.top + u.bbox.height - 5 * devicePixelRatio, Math.max(2, b - a), 5 * devicePixelRatio);
      else u.ctx.fillRect(a, u.bbox.top, Math.max(2, b - a), u.bbox.height);
      u.ctx.restore();
    });
  };
  // lines draws what is to be crossed, above the rest.
  Plot.prototype.lines = function (u) {
    (this.data.lines || []).forEach(function (l) {
      var y = u.valToPos(l.at, l.right ? "r" : "y", true);
      if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
      u.ctx.save();
      u.ctx.strokeStyle = u.ctx.fillStyle = colour(l.color || "critical");
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      u.ctx.beginPath();
      u.ctx.moveTo(u.bbox.left, y);
      u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
      u.ctx.stroke();
      u.ctx.font = 12 * devicePixelRatio + "px system-ui, sans-serif";
      u.ctx.fillText(l.name || "", u.bbox.left + 6 * devicePixelRatio, y - 5 * devicePixelRatio);
      u.ctx.restore();
    });
  };
  // point says what stands under the pointer.
  Plot.prototype.point = function (u) {
    var d = this.data, i = u.cursor.idx;
    if (i === null || i === undefined || u.cursor.left < 0) { this.under.textContent = ""; return; }
    var at = d.x === "number" ? (d.xname || "at") + " " + number(d.at[i]) : moment(d.at[i]) + " UTC";
    this.under.textContent = at + ": " + (d.lanes ? d.series.filter(function (s) { return s.values[i] !== null; }).map(function (s) { return s.name + ", " + d.lanes[s.values[i]]; })
      : d.series.map(function (s) { return s.name + " " + number(s.values[i]); })).join(", ");
  };

  function start() {
    document.querySelectorAll("figure.plot[data-plot]").forEach(function (f) {
      if (f.dataset.started) return;
      f.dataset.started = "yes";
      new Plot(f).ask(when(f.dataset.from), when(f.dataset.to));
    });
  }
  start();
  document.addEventListener("htmx:after:swap", start);
})();
