"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, where = document) => where.querySelector(selector);
  const all = (selector, where = document) => [...where.querySelectorAll(selector)];
  const kept = {
    get(key) { try { return localStorage.getItem("harness." + key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem("harness." + key, value); } catch { /* a file may keep nothing */ } },
  };

  // Language and colours.
  const label = (where) => {
    for (const each of all("[data-label-en]", where)) {
      each.setAttribute(each.tagName === "IMG" ? "alt" : "aria-label", each.dataset[root.lang === "en" ? "labelEn" : "labelPt"]);
    }
  };
  const speak = (lang) => {
    root.lang = lang;
    label(document);
    for (const option of all("option[data-en]")) option.textContent = option.dataset[lang === "en" ? "en" : "pt"];
  };
  const paint = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  const choice = (name, act) => {
    const inputs = all(`input[name="${name}"]`);
    const before = inputs.find((input) => input.value === kept.get(name));
    if (before) before.checked = true;
    for (const input of inputs) {
      input.addEventListener("change", () => { act(input.value); kept.set(name, input.value); });
    }
    act((inputs.find((input) => input.checked) || inputs[0]).value);
  };
  choice("lang", speak);
  choice("theme", paint);

  // A scenario's part is unpacked when it is opened.
  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  const copy = (button) => {
    const text = button.previousElementSibling.textContent;
    const selection = getSelection();
    selection.selectAllChildren(button.previousElementSibling);
    if (navigator.clipboard) navigator.clipboard.writeText(text).catch(() => {});
  };
  // What goes on beyond the right edge fades there.
  const fade = (box) => box.classList.toggle("cut", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const widths = new ResizeObserver((changes) => { for (const each of changes) fade(each.target.closest(".scroll")); });
  const fades = (where) => {
    for (const box of all(".scroll", where)) {
      box.addEventListener("scroll", () => fade(box), { passive: true });
      for (const each of [box, ...box.children]) widths.observe(each);
    }
  };
  fades(document);
  const fill = async (scenario) => {
    const body = one(".body", scenario);
    if (body.dataset.full) return;
    body.dataset.full = "yes";
    const part = document.getElementById("b" + scenario.dataset.number);
    if (!part) { body.textContent = "…"; return; }
    try {
      const { html, pictures } = await unpack(part.textContent);
      body.innerHTML = html;
      label(body);
      fades(body);
      for (const image of all("img[data-picture]", body)) {
        const svg = new Blob([pictures[Number(image.dataset.picture)]], { type: "image/svg+xml" });
        image.src = URL.createObjectURL(svg);
      }
      for (const button of all("button.copy", body)) button.addEventListener("click", () => copy(button));
    } catch (error) {
      body.textContent = "report.txt: " + error;
    }
  };
  for (const lazy of all("details.lazy")) {
    lazy.addEventListener("toggle", async () => {
      const page = one(".page", lazy);
      const part = document.getElementById("b" + lazy.dataset.part);
      if (lazy.open && part && !page.dataset.full) {
        page.dataset.full = "yes";
        page.innerHTML = (await unpack(part.textContent)).html;
      }
    });
  }
  const scenarios = all("details.scenario");
  for (const scenario of scenarios) {
    scenario.addEventListener("toggle", () => { if (scenario.open) fill(scenario); });
  }

  // Filters.
  const filters = one("#filters");
  const lines = new Map(all("tr[data-row]").map((line) => [line.dataset.row, line]));
  const sift = () => {
    const given = new FormData(filters);
    const outcomes = new Set(given.getAll("outcome"));
    const words = String(given.get("text")).toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const scenario of scenarios) {
      const { outcome, family, level, text, number } = scenario.dataset;
      const fits = outcomes.has(outcome) && (!given.get("family") || given.get("family") === family)
        && (!given.get("level") || given.get("level") === level) && words.every((word) => text.includes(word));
      scenario.hidden = !fits;
      if (lines.has(number)) lines.get(number).hidden = !fits;
      shown += fits;
    }
    one("#shown").textContent = shown;
    one("#none").hidden = shown > 0;
  };
  if (filters) {
    for (const kind of ["input", "change"]) filters.addEventListener(kind, sift);
    filters.addEventListener("reset", () => setTimeout(sift));
    filters.addEventListener("submit", (event) => event.preventDefault());
    sift();
    one("#open-all").addEventListener("click", async () => {
      for (const scenario of scenarios.filter((each) => !each.hidden)) { await fill(scenario); scenario.open = true; }
    });
    one("#close-all").addEventListener("click", () => { for (const scenario of scenarios) scenario.open = false; });
  }
  // On paper nothing can be opened, and there is no time to unpack: the worst are unpacked while nobody waits.
  const ON_PAPER = 40;
  const idle = (act) => (window.requestIdleCallback ? requestIdleCallback(act) : setTimeout(act, 100));
  const worst = scenarios.filter((each) => ["fail", "error", "warn"].includes(each.dataset.outcome)).slice(0, ON_PAPER);
  const prepare = async () => { for (const each of worst) { await new Promise(idle); await fill(each); } };
  addEventListener("load", () => idle(prepare));
  let before = new Map();
  addEventListener("beforeprint", () => {
    const folds = [...all(".findings > li > details"), ...scenarios.filter((each) => one(".body", each).childElementCount)];
    before = new Map(folds.map((fold) => [fold, fold.open]));
    for (const fold of folds) fold.open = true;
  });
  addEventListener("afterprint", () => before.forEach((open, fold) => { fold.open = open; }));
  if (matchMedia("(max-width: 45rem)").matches) all(".matrix-fold").forEach((fold) => { fold.open = false; });

  // A link to a scenario opens it, whatever the filters say.
  const visit = async () => {
    const aim = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!aim || !aim.matches("details.scenario")) return;
    aim.hidden = false;
    await fill(aim);
    aim.open = true;
    aim.scrollIntoView({ block: "start" });
    one("summary", aim).focus({ preventScroll: true });
  };
  addEventListener("hashchange", visit);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#s"]');
    if (link && link.getAttribute("href") === location.hash) visit();
  });
  visit();
})();
