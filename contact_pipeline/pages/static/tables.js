// Tables of many rows: virtual rows to scroll through, or plain pages for screen readers, narrow windows and paper.
"use strict";

const PAGE = 50;
const PRINTED = 200;
const tables = [];
const isNarrow = window.matchMedia("(max-width: 44rem)");

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function number(count) {
  return count.toLocaleString("en");
}

function counted(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

// A value of somebody, whatever its direction of writing.
function valueOf(text) {
  if (text === null || text === undefined || text === "") return element("span", { class: "none" }, "–");
  return element("bdi", { dir: "auto" }, Array.isArray(text) ? text.join("; ") : String(text));
}

// columns: { title, cell(row) → node or text, text(row) → what it is sorted by, width, figure }
class DataTable {
  constructor(host, { caption, columns, rows, noun }) {
    Object.assign(this, { host, caption, columns, noun, rows, page: 0, sorted: null });
    this.bar = element("div", { class: "table-bar screen" });
    this.grid = element("div", { class: "grid" });
    this.plain = element("div", { class: "plain" });
    host.append(this.bar, this.grid, this.plain);
    tables.push(this);
    this.isPlain = isNarrow.matches || location.hash === "#plain";
    this.draw();
  }

  setRows(rows) {
    this.rows = rows;
    this.page = 0;
    if (this.isPlain) this.drawPlain();
    else this.drawGrid();
  }

  setPlain(isPlain) {
    if (isPlain === this.isPlain) return;
    this.isPlain = isPlain;
    this.draw();
  }

  wrapped() {
    return this.rows.map((row, id) => ({ id, row }));
  }

  draw() {
    this.grid.hidden = this.isPlain;
    this.plain.hidden = !this.isPlain;
    this.bar.replaceChildren(
      element("button", {
        type: "button", "aria-pressed": String(this.isPlain), class: "small",
        onclick: (event) => { setPlain(!this.isPlain); event.currentTarget?.focus(); this.bar.firstChild.focus(); },
      }, "Plain table"),
    );
    if (this.isPlain) this.drawPlain();
    else this.drawGrid();
    if (this.isBuilt && !this.isPlain) this.tabulator.redraw(true); // while it was hidden it had no room for rows
  }

  drawGrid() {
    if (this.tabulator) {
      if (this.isBuilt && this.drawn !== this.rows) this.tabulator.replaceData(this.wrapped());
      this.drawn = this.rows;
      return;
    }
    const first = this.drawn = this.rows;
    this.tabulator = new Tabulator(this.grid, {
      data: this.wrapped(),
      index: "id",
      maxHeight: "38rem",
      layout: "fitDataStretch",
      renderVerticalBuffer: 300,
      headerSortElement: "<span>↕</span>",
      placeholder: "No row fits.",
      columnDefaults: { headerHozAlign: "left", vertAlign: "top", tooltip: false },
      columns: this.columns.map((column, place) => ({
        title: column.title,
        titleFormatter: () => element("span", { dir: "auto" }, column.title),
        field: `c${place}`,
        mutator: undefined,
        formatter: (cell) => this.cell(column, cell.getData().row),
        sorter: (_a, _b, first, second) => compare(column, first.getData().row, second.getData().row),
        hozAlign: column.figure ? "right" : "left",
        width: column.width,
        minWidth: column.least ?? 60,
        maxInitialWidth: column.most ?? 340,
        frozen: Boolean(column.frozen),
      })),
    });
    this.tabulator.on("tableBuilt", () => {
      this.isBuilt = true;
      if (this.rows !== first) this.tabulator.replaceData(this.wrapped());
      this.grid.setAttribute("aria-label", this.caption);
      this.grid.querySelector(".tabulator-tableholder")?.setAttribute("role", "rowgroup"); // it scrolls, so it has the focus
      this.grid.querySelector(".tabulator-table")?.setAttribute("role", "presentation");
    });
  }

  cell(column, row) {
    const made = column.cell(row);
    const holder = element("div", { class: "cell" });
    holder.append(made ?? "");
    return holder;
  }

  ordered() {
    if (!this.sorted) return this.rows;
    const { column, down } = this.sorted;
    const way = down ? -1 : 1;
    return [...this.rows].sort((first, second) => way * compare(column, first, second));
  }

  drawPlain(most = PAGE) {
    const pages = Math.max(1, Math.ceil(this.rows.length / most));
    this.page = Math.min(this.page, pages - 1);
    const from = this.page * most;
    const some = this.ordered().slice(from, from + most);
    const head = element("tr", {}, ...this.columns.map((column) => {
      const isSorted = this.sorted?.column === column;
      const order = isSorted ? (this.sorted.down ? "descending" : "ascending") : null;
      const label = element("bdi", { dir: "auto" }, column.title);
      if (!column.text) return element("th", { scope: "col" }, label);
      const mark = element("span", { "aria-hidden": "true" }, isSorted ? (this.sorted.down ? " ↓" : " ↑") : "");
      return element("th", { scope: "col", "aria-sort": order }, element("button", {
        type: "button", class: "sort", onclick: () => this.sortBy(column),
      }, label, mark));
    }));
    const body = some.map((row) => element("tr", {}, ...this.columns.map((column, place) =>
      element(place === this.lead() ? "th" : "td", {
        scope: place === this.lead() ? "row" : null, "data-label": column.title,
        class: column.figure ? "figure" : null,
      }, column.cell(row) ?? ""))));
    const said = `${this.caption}: ${this.rows.length ? `${number(from + 1)} to ${number(from + some.length)} of ` : ""}${counted(this.rows.length, this.noun)}`;
    const table = element("table", {}, element("caption", {}, said), element("thead", {}, head), element("tbody", {}, ...body));
    const turn = (by) => () => {
      this.page += by;
      this.drawPlain();
      say(`Page ${this.page + 1} of ${pages}`);
      this.plain.querySelector(`[data-turn="${by}"]:not(:disabled)`)?.focus();
    };
    const pager = pages === 1 ? null : element("div", { class: "pager screen", role: "group", "aria-label": `Pages: ${this.caption}` },
      element("button", { type: "button", disabled: this.page === 0, "data-turn": -1, onclick: turn(-1) }, "Previous"),
      element("span", {}, `Page ${this.page + 1} of ${pages}`),
      element("button", { type: "button", disabled: this.page === pages - 1, "data-turn": 1, onclick: turn(1) }, "Next"));
    this.plain.replaceChildren(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": said }, table), ...(pager ? [pager] : []));
  }

  lead() {
    return Math.max(0, this.columns.findIndex((column) => column.leads));
  }

  sortBy(column) {
    const down = this.sorted?.column === column && !this.sorted.down;
    this.sorted = { column, down };
    this.page = 0;
    this.drawPlain();
    const place = this.columns.indexOf(column);
    this.plain.querySelectorAll("thead th")[place].querySelector("button").focus();
    say(`Sorted by ${column.title}, ${down ? "descending" : "ascending"}`);
  }
}

function compare(column, first, second) {
  const [one, other] = [column.text(first) ?? "", column.text(second) ?? ""];
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

function setPlain(isPlain) {
  tables.forEach((table) => table.setPlain(isPlain));
  say(isPlain ? "Plain tables" : "Tables that scroll");
}

isNarrow.addEventListener("change", () => setPlain(isNarrow.matches));
window.addEventListener("beforeprint", () => tables.forEach((table) => table.drawPlain(PRINTED)));
window.addEventListener("afterprint", () => tables.forEach((table) => table.isPlain && table.drawPlain()));

// Facets: groups of buttons that narrow down what a table shows; a choice in one changes the counts of the others.
class Facets {
  // names: [{ name, title, label(choice) }]; counts(name, chosen) → Map of choice → count; onchange(chosen, text)
  constructor(host, { names, counts, onchange, searches }) {
    Object.assign(this, { host, names, counts, onchange, text: "", chosen: {} });
    names.forEach(({ name }) => { this.chosen[name] = new Set(); });
    this.clear = element("button", { type: "button", class: "small", onclick: () => this.reset() }, "Show all");
    this.search = element("input", { type: "search", id: `${host.id}-search`, autocomplete: "off" });
    let waiting;
    this.search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { this.text = this.search.value.trim().toLowerCase(); this.onchange(); }, 120);
    });
    this.lists = element("div", { class: "facet-lists" });
    host.append(
      element("div", { class: "searching" },
        element("label", { for: this.search.id }, searches), this.search, this.clear),
      this.lists);
    this.draw();
  }

  reset() {
    Object.values(this.chosen).forEach((set) => set.clear());
    this.search.value = this.text = "";
    this.draw();
    this.onchange();
  }

  choose(name, choice, only = false) {
    const set = this.chosen[name];
    if (only) Object.values(this.chosen).forEach((each) => each.clear());
    if (set.has(choice) && !only) set.delete(choice);
    else set.add(choice);
    this.draw();
    this.onchange();
  }

  draw() {
    const open = new Set([...this.lists.querySelectorAll("details[open]")].map((each) => each.dataset.name));
    const isFirst = !this.lists.firstChild;
    const focused = document.activeElement?.dataset?.facetKey;
    this.lists.replaceChildren(...this.names.map(({ name, title, label }) => {
      const counts = this.counts(name, this.chosen);
      this.chosen[name].forEach((choice) => { if (!counts.has(choice)) counts.set(choice, 0); });
      const buttons = [...counts].map(([choice, count]) => element("li", {}, element("button", {
        type: "button", class: "facet", "aria-pressed": String(this.chosen[name].has(choice)),
        "data-facet-key": `${name}:${choice}`, onclick: () => this.choose(name, choice),
      }, element("bdi", { dir: "auto", class: "choice" }, label ? label(choice) : choice), element("span", { class: "figure" }, number(count)))));
      const shown = isFirst ? !isNarrow.matches && name !== "value" : open.has(name);
      return element("details", { "data-name": name, open: shown || (isFirst && buttons.length > 0 && buttons.length < 6 && !isNarrow.matches), hidden: !buttons.length },
        element("summary", {}, title, this.chosen[name].size ? element("span", { class: "count" }, ` ${this.chosen[name].size} chosen`) : ""),
        element("ul", {}, ...buttons));
    }));
    if (focused) [...this.lists.querySelectorAll("button")].find((each) => each.dataset.facetKey === focused)?.focus();
    this.clear.disabled = !this.text && Object.values(this.chosen).every((set) => !set.size);
  }
}
