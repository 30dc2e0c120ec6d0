// What the dashboard's pages do with JavaScript, on top of what they do without it: times
// in the reader's zone, copying, dialogs, charts, live lists. Nothing here makes markup
// from text, so the browser's Trusted Types have nothing to refuse.
"use strict";

const each = (root, selector, fn) => root.querySelectorAll(selector).forEach(fn);

// say tells a screen reader what happened.
const say = (text) => { document.getElementById("said").textContent = text; };

// localTime puts a time into the reader's zone; the exact instant stays in the title.
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const precise = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit" });
const preciseYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const localTime = (element) => {
  const at = new Date(element.dateTime);
  if (isNaN(at) || element.dataset.local) return;
  element.dataset.local = "1";
  element.title = `${full.format(at)}\n${element.dateTime}`;
  element.textContent = element.dataset.relative !== undefined ? ago(at) : (element.dataset.seconds !== undefined ? precise : element.dataset.day !== undefined ? dayOnly : short).format(at);
};
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const ago = (at) => {
  const seconds = (at - Date.now()) / 1000;
  for (const [unit, length] of [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(Math.round(seconds), "second");
};

// copying shows a copy button and makes it copy.
const copying = (button) => {
  if (button.dataset.ready) return;
  button.dataset.ready = "1";
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent);
    const label = button.querySelector("span"), was = label.textContent;
    label.textContent = "Copied";
    say("Copied.");
    if (source.dataset.secret !== undefined) guarded = false;
    setTimeout(() => { label.textContent = was; }, 2000);
  });
};

// guarded: a secret is shown that nobody has copied yet; leaving would lose it.
let guarded = document.querySelector("[data-secret]") !== null;
addEventListener("beforeunload", (event) => { if (guarded) event.preventDefault(); });
addEventListener("click", (event) => { if (event.target.closest("[data-unguard]")) guarded = false; });
addEventListener("submit", (event) => { if (event.target.closest("[data-unguard]")) guarded = false; });

// The dialog opens when htmx has put something into it, and closes as dialogs do.
const dialog = document.getElementById("dialog");
addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target ?? event.target;
  if (dialog.contains(target) && !dialog.open && document.getElementById("dialog-body").childElementCount > 0) {
    const heading = dialog.querySelector("h1, h2");
    if (heading) dialog.setAttribute("aria-label", heading.textContent.trim());
    dialog.showModal();
  }
  enhance(document);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) { event.preventDefault(); dialog.close(); }
});
dialog.addEventListener("close", () => document.getElementById("dialog-body").replaceChildren());

// naming lets a form be sent once what must be typed is typed: the name of what goes.
const naming = (input) => {
  if (input.dataset.ready) return;
  input.dataset.ready = "1";
  const button = input.form.querySelector("button[type=submit], button:not([type])");
  const check = () => { button.disabled = input.value.trim() !== input.dataset.expect; };
  input.addEventListener("input", check);
  check();
};

// selecting makes a box select all boxes of its form, and counts them.
const selecting = (box) => {
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  const form = box.form, boxes = () => [...form.elements].filter((e) => e.name === box.dataset.all);
  const tell = () => {
    const chosen = boxes().filter((e) => e.checked).length;
    box.checked = chosen > 0 && chosen === boxes().length;
    box.indeterminate = chosen > 0 && !box.checked;
    each(document, `[data-chosen-of="${box.dataset.all}"]`, (e) => { e.hidden = chosen === 0; });
    each(document, `[data-chosen="${box.dataset.all}"]`, (e) => { e.textContent = String(chosen); });
  };
  box.hidden = false;
  box.addEventListener("change", () => { boxes().forEach((e) => { e.checked = box.checked; }); tell(); });
  form.addEventListener("change", tell);
  tell();
};

// choosing fills in check boxes: presets of scopes.
const choosing = (button) => {
  if (button.dataset.ready) return;
  button.dataset.ready = "1";
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = new Set(JSON.parse(button.dataset.choose));
    for (const box of button.closest("form").elements) {
      if (box.name === button.dataset.of) box.checked = chosen.has(box.value);
    }
    say(`${chosen.size} chosen.`);
  });
};

// filling puts a value into a field: presets of dates.
const filling = (button) => {
  if (button.dataset.ready) return;
  button.dataset.ready = "1";
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.fill);
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    say(`${button.textContent.trim()}: ${button.dataset.value}`);
  });
};

// polling asks htmx for news every so many seconds, while somebody looks and has not
// paused it.
// An element that is merged with its news stays the same one, and keeps its timer.
const polled = new WeakSet();
const polling = (element) => {
  if (polled.has(element)) return;
  polled.add(element);
  const timer = setInterval(() => {
    if (!element.isConnected || !element.dataset.poll) { clearInterval(timer); polled.delete(element); return; }
    const pause = document.querySelector(`[data-pauses="${element.id}"]`);
    if (document.visibilityState === "visible" && pause?.getAttribute("aria-pressed") !== "true") {
      element.dispatchEvent(new Event("tick"));
    }
  }, Number(element.dataset.poll) * 1000);
};
const pausing = (button) => {
  if (button.dataset.ready) return;
  button.dataset.ready = "1";
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    say(on ? "Paused." : "Live again.");
  });
};

// charting draws a chart from the numbers that its table shows.
const resolved = (element, name) => {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
};
// axisDay and axisTime label a chart's time: whole days are days of UTC, as they are
// counted; anything finer is in the reader's zone.
const axisDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
const axisTime = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const axisMoment = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric" });
const timeAxis = (times, width) => {
  const step = times[1] - times[0], span = times[times.length - 1] - times[0];
  const labels = step >= 86400 ? axisDay : span > 86400 ? axisMoment : axisTime;
  return {
    splits: () => {
      const every = Math.max(1, Math.ceil(times.length / Math.max(2, Math.floor(width() / 90))));
      return times.filter((_, i) => i % every === 0);
    },
    values: (_, list) => list.map((at) => labels.format(new Date(at * 1000))),
  };
};
const charting = (figure) => {
  if (figure.dataset.ready || typeof uPlot === "undefined") return;
  figure.dataset.ready = "1";
  const { times, lines, bars } = JSON.parse(figure.dataset.series), plot = document.getElementById(figure.dataset.chart);
  if (times.length < 2) return;
  let drawn;
  const fit = () => { if (drawn && plot.clientWidth !== drawn.width) drawn.setSize({ width: plot.clientWidth, height: 220 }); };
  const draw = () => {
    drawn?.destroy();
    const grid = { stroke: resolved(plot, "line"), width: 1 }, text = resolved(plot, "muted");
    drawn = new uPlot({
      width: plot.clientWidth, height: 220, legend: { show: false }, cursor: { show: false },
      scales: {
        y: { range: (_, low, high) => [0, Math.max(high, 1)] },
        ...(bars ? { x: { range: (_, first, last) => [first - (times[1] - times[0]) / 2, last + (times[1] - times[0]) / 2] } } : {}),
      },
      axes: [{ stroke: text, grid, ticks: grid, ...timeAxis(times, () => plot.clientWidth) }, { stroke: text, grid, ticks: grid, size: 56, values: (_, list) => list.map((v) => v >= 1000 ? `${v / 1000}k` : Number.isInteger(v) ? v : "") }],
      series: [{}, ...lines.map((line) => {
        const stroke = resolved(plot, line.tone || "accent");
        return { label: line.name, stroke, width: bars ? 0 : 2, points: { show: false }, ...(bars ? { paths: uPlot.paths.bars({ size: [0.7, 40] }), fill: stroke } : {}) };
      })],
    }, [times, ...lines.map((line) => line.values)], plot);
    fit(); // an empty plot is not laid out, and has no width
  };
  draw();
  let waiting;
  new ResizeObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(fit, 50);
  }).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
};

// reading lets a file be read into a field instead of pasted.
const reading = (field) => {
  if (field.dataset.ready) return;
  field.dataset.ready = "1";
  field.hidden = false;
  field.querySelector("input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    document.getElementById(field.dataset.fileInto).value = await file.text();
    say(`${file.name} is read.`);
  });
};

// A form whose answer is a file leaves its page as it is: it says then that it was sent, in
// place of what was said before.
addEventListener("submit", (event) => {
  const sent = document.getElementById(event.target.dataset?.sent ?? "");
  if (!sent) return;
  setTimeout(() => {
    each(document, ".notice", (e) => { e.hidden = e !== sent; });
    say(sent.textContent.trim());
  }, 1000);
});

// A form that was refused starts at what is wrong.
document.querySelector("main [aria-invalid=true]")?.focus();

// Menus at the top close when somebody goes elsewhere.
addEventListener("click", (event) => each(document, "details.who[open], details.drawer-menu[open], details.actions[open]", (menu) => {
  if (!menu.contains(event.target)) menu.open = false;
}));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  each(document, "details.who[open], details.drawer-menu[open], details.actions[open]", (menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

const enhance = (root) => {
  each(root, "time[datetime]", localTime);
  each(root, "[data-copy]", copying);
  each(root, "input[data-expect]", naming);
  each(root, "input[data-all]", selecting);
  each(root, "[data-choose]", choosing);
  each(root, "[data-fill]", filling);
  each(root, "[data-file-into]", reading);
  each(root, "[data-poll]", polling);
  each(root, "[data-pauses]", pausing);
  each(root, "figure[data-chart]", charting);
};
enhance(document);
