// The tables of the review page. What is counted is the whole upload; what is listed is what the page has of it.
"use strict";

const review = JSON.parse(document.getElementById("review").textContent);
const sensitive = new Set(review.sensitive);
const NO_COLUMN = "(the row as a whole)";

function host(id) {
  return document.getElementById(id);
}

function words(number) {
  return review.rows.words[number];
}

function fits(set, value) {
  return !set.size || set.has(value);
}

function add(counts, key, count) {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function byCount(counts) {
  return new Map([...counts].sort((one, other) => other[1] - one[1]));
}

// --- what differs, character by character ---

const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function signs(text) {
  return segmenter ? Array.from(segmenter.segment(text), (part) => part.segment) : Array.from(text);
}

// Runs of [kind, text], kind being "same", "gone" or "new": the longest common subsequence, without tiny islands.
function differences(before, after) {
  const [one, other] = [signs(before), signs(after)];
  if (one.length * other.length > 60000) return [["gone", before], ["new", after]];
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      lengths[i][j] = one[i] === other[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  if (lengths[0][0] * 3 < Math.max(one.length, other.length)) return [["gone", before], ["new", after]];
  const runs = [];
  const push = (kind, sign) => {
    const last = runs.at(-1);
    if (last && last[0] === kind) last[1] += sign;
    else runs.push([kind, sign]);
  };
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    if (i < one.length && j < other.length && one[i] === other[j]) { push("same", one[i]); i++; j++; }
    else if (j >= other.length || (i < one.length && lengths[i + 1][j] >= lengths[i][j + 1])) push("gone", one[i++]);
    else push("new", other[j++]);
  }
  return runs;
}

function side(runs, kind, tag = kind === "gone" ? "del" : "ins") {
  return element("bdi", { dir: "auto" }, ...runs.filter(([each]) => each === "same" || each === kind)
    .map(([each, text]) => (each === "same" ? text : element(tag, {}, text))));
}

function asText(value) {
  if (value === null || value === undefined) return "";
  if (value === true || value === "true") return "yes";
  if (value === false || value === "false") return "no";
  return Array.isArray(value) ? value.join("; ") : String(value);
}

// Before → after with only what differs marked; of what is hidden nobody can tell.
function beforeAfter(before, after, isHidden = false) {
  const [was, is] = [asText(before), asText(after)];
  const arrow = element("span", { class: "arrow", "aria-label": "becomes" }, " → ");
  const blank = () => element("span", { class: "none" }, "blank");
  if (!was) return element("span", {}, is ? element("ins", {}, valueOf(is)) : blank());
  if (!is) return element("span", {}, element("del", {}, valueOf(was)), arrow, blank());
  if (isHidden) return element("span", { class: "hidden" }, valueOf(was), arrow, valueOf(is));
  const runs = differences(was, is);
  return element("span", {}, side(runs, "gone"), arrow, side(runs, "new"));
}

// --- rows ---

const MARKS = { rejected: ["✗", "not taken", "cross"], review: ["✗", "not taken yet", "cross"], left_out: ["·", "left out", "none"], blank: ["·", "blank", "none"] };

function mark(outcome) {
  const [sign, said, style] = MARKS[outcome] ?? ["✓", "good", "ok"];
  return element("span", { class: style }, element("span", { "aria-hidden": "true" }, sign), element("span", { class: "unseen" }, said));
}

function readRow([row, outcome, contact, account, otherRow, otherContact, reason, defects, cells]) {
  return {
    row, outcome: words(outcome), contact, account, otherRow, otherContact, reason: words(reason), cells,
    defects: defects.map(([column, code, severity, value, message, fix]) => ({
      column: words(column) || NO_COLUMN, code: words(code), severity: words(severity), value, message: words(message), fix: words(fix),
    })),
  };
}

function whyOf(row) {
  const said = row.defects.map(({ column, severity, message, fix, code }) => element("li", { class: severity },
    column === NO_COLUMN ? "" : element("strong", {}, element("bdi", { dir: "auto" }, `${column}: `)),
    severity === "warning" ? "warning: " : "", element("span", { dir: "auto" }, message), " ",
    fix ? element("span", { class: "quiet", dir: "auto" }, fix) : "", " ", element("code", { class: "code" }, code)));
  if (row.reason) said.push(element("li", {}, row.reason));
  if (row.otherRow) said.push(element("li", {}, `the same as row ${row.otherRow}`));
  else if (row.otherContact) said.push(element("li", {}, `is contact ${row.otherContact} already`));
  return said.length ? element("ul", { class: "why" }, ...said) : null;
}

function drawRows() {
  const data = review.rows;
  const rows = data.rows.map(readRow);
  const groups = data.groups.map(([outcome, kinds, count]) => ({
    outcome, count, kinds: kinds.map(([column, code]) => ({ column: column || NO_COLUMN, code })),
  }));
  const values = data.values.map(([outcome, column, code, value, count]) => ({ outcome, column: column || NO_COLUMN, code, value, count }));
  if (data.folded) groups.push({ outcome: "", count: data.folded, kinds: [] });

  const without = (chosen, name) => ({ ...chosen, [name]: new Set() });
  const defectFits = (chosen, defect) => fits(chosen.column, defect.column) && fits(chosen.code, defect.code);
  const needsDefect = (chosen) => chosen.column.size || chosen.code.size;

  function counts(name, all) {
    const chosen = without(all, name);
    const found = new Map();
    if (name === "value" || chosen.value.size) {
      for (const each of values) {
        if (fits(chosen.outcome, each.outcome) && defectFits(chosen, each) && fits(chosen.value, each.value)) add(found, each[name], each.count);
      }
      return byCount(found);
    }
    for (const group of groups) {
      if (!fits(chosen.outcome, group.outcome)) continue;
      const some = group.kinds.filter((kind) => defectFits(chosen, kind));
      if (name === "outcome") {
        if (group.outcome && (!needsDefect(chosen) || some.length)) add(found, group.outcome, group.count);
      } else {
        new Set(some.map((kind) => kind[name])).forEach((choice) => add(found, choice, group.count));
      }
    }
    return byCount(found);
  }

  function total(chosen) {
    if (chosen.value.size) {
      return values.filter((each) => fits(chosen.outcome, each.outcome) && defectFits(chosen, each) && chosen.value.has(each.value))
        .reduce((sum, each) => sum + each.count, 0);
    }
    return groups.filter((group) => fits(chosen.outcome, group.outcome) && (!needsDefect(chosen) || group.kinds.some((kind) => defectFits(chosen, kind))))
      .reduce((sum, group) => sum + group.count, 0);
  }

  rows.forEach((row) => {
    row.searched = [row.row, row.outcome, row.reason, ...row.defects.flatMap((each) => [each.column, each.code, each.value, each.message]), ...(row.cells ?? [])]
      .join("\n").toLowerCase();
  });

  const isListed = (row, chosen, text) => fits(chosen.outcome, row.outcome)
    && (!(needsDefect(chosen) || chosen.value.size) || row.defects.some((each) => defectFits(chosen, each) && fits(chosen.value, each.value)))
    && (!text || row.searched.includes(text));

  const about = host("rows-about");
  const columns = [
    { title: "Row", cell: (row) => number(row.row), text: (row) => row.row, figure: true, leads: true, width: 80 },
    { title: "Outcome", cell: (row) => element("span", { class: "outcome" }, mark(row.outcome), " ", row.outcome), text: (row) => row.outcome, width: 125 },
    { title: "Why", cell: whyOf, text: (row) => row.defects[0]?.code ?? row.reason, most: 460, least: 120 },
    ...data.columns.map((heading, place) => ({
      title: heading,
      text: (row) => row.cells?.[place],
      cell: (row) => {
        const bad = row.defects.some((each) => each.column === heading && each.severity !== "warning");
        const shown = valueOf(row.cells?.[place]);
        return bad ? element("span", { class: "cell-bad" }, shown) : shown;
      },
      most: 220,
    })),
  ];
  const table = new DataTable(host("rows-table"), { caption: "Rows of the file", noun: "row", columns, rows });
  const facets = new Facets(host("rows-facets"), {
    searches: "Search in the rows on this page",
    names: [{ name: "outcome", title: "Outcome" }, { name: "column", title: "Column" }, { name: "code", title: "Error or warning" }, { name: "value", title: "Value" }],
    counts,
    onchange: () => update(),
  });

  function update() {
    const listed = rows.filter((row) => isListed(row, facets.chosen, facets.text));
    table.setRows(listed);
    const all = total(facets.chosen);
    const found = facets.text ? `${counted(listed.length, "row")} on this page with “${facets.text}”` : listed.length === all ? `${counted(all, "row")}` : `${counted(all, "row")}; ${number(listed.length)} of them on this page`;
    about.textContent = `${found}.`;
    say(found);
  }
  update();

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-facet]");
    if (!button) return;
    facets.choose(button.dataset.facet, button.dataset.choice, true);
    host("rows").focus();
    host("rows").scrollIntoView();
  });
}

// --- changes ---

const ACTIONS = { create: "create", update: "update", deactivate: "deactivate", reactivate: "reactivate", link: "link", remove: "remove" };

function kindOf(target, action) {
  return `${ACTIONS[action] ?? action} ${target}`;
}

function drawChanges() {
  const data = review.changes;
  const rows = data.changes.map((change) => ({
    ...change, kind: kindOf(change.target, change.action), names: Object.keys(change.fields),
    searched: [change.id, change.name, change.to, ...Object.values(change.fields).flat().map(asText)].join("\n").toLowerCase(),
  }));
  const groups = data.groups.map(([target, action, fields, count]) => ({ kind: kindOf(target, action), fields: action === "create" ? fields.filter((each) => each !== "active") : fields, count }));

  function counts(name, chosen) {
    const found = new Map();
    for (const group of groups) {
      if (name === "kind") {
        if (!chosen.field.size || group.fields.some((field) => chosen.field.has(field))) add(found, group.kind, group.count);
      } else if (fits(chosen.kind, group.kind)) group.fields.forEach((field) => add(found, field, group.count));
    }
    return byCount(found);
  }

  const isChosen = (kind, fields, chosen) => fits(chosen.kind, kind) && (!chosen.field.size || fields.some((field) => chosen.field.has(field)));
  const columns = [
    { title: "Who", leads: true, most: 240, text: (row) => row.name || row.id, cell: (row) => element("span", {}, row.name ? valueOf(row.name) : "", row.name ? " " : "", element("span", { class: "quiet" }, `${row.target === "account" ? "account" : "contact"} ${row.id}`)) },
    { title: "Row", text: (row) => row.row ?? 0, figure: true, width: 80, cell: (row) => (row.row ? number(row.row) : valueOf("")) },
    { title: "Change", text: (row) => row.kind, cell: (row) => row.kind, width: 160 },
    { title: "Before → after", text: (row) => row.names.join(), most: 700, least: 280, cell: (row) => row.to
      ? element("span", {}, `${row.target === "membership" ? "group" : "with"} `, valueOf(row.to))
      : element("dl", { class: "fields" }, ...row.names.flatMap((name) => [element("dt", {}, name), element("dd", {}, beforeAfter(...row.fields[name], sensitive.has(name)))])) },
  ];
  const table = new DataTable(host("changes-table"), { caption: "Changes", noun: "change", columns, rows });
  const facets = new Facets(host("changes-facets"), {
    searches: "Search in the changes on this page",
    names: [{ name: "kind", title: "Change" }, { name: "field", title: "Field" }],
    counts,
    onchange: () => update(),
  });

  function update() {
    const listed = rows.filter((row) => isChosen(row.kind, row.names, facets.chosen) && (!facets.text || row.searched.includes(facets.text)));
    table.setRows(listed);
    const all = groups.filter((group) => isChosen(group.kind, group.fields, facets.chosen)).reduce((sum, group) => sum + group.count, 0);
    const found = facets.text ? `${counted(listed.length, "change")} on this page with “${facets.text}”` : listed.length === all ? counted(all, "change") : `${counted(all, "change")}; ${number(listed.length)} of them on this page`;
    host("changes-about").textContent = `${found}.`;
    say(found);
  }
  update();
}

// --- rows beside others ---

class Cards {
  constructor(place, items, card, size = 5) {
    Object.assign(this, { place, items, card, size, page: 0 });
    this.list = element("div");
    this.pager = element("div", { class: "pager screen", role: "group", "aria-label": "Pages" });
    place.append(this.list, this.pager);
    this.draw();
    window.addEventListener("beforeprint", () => this.draw(0, this.items.length));
    window.addEventListener("afterprint", () => this.draw());
  }

  draw(from = this.page * this.size, count = this.size) {
    const pages = Math.ceil(this.items.length / this.size);
    this.list.replaceChildren(...this.items.slice(from, from + count).map(this.card));
    if (pages < 2) return;
    const turn = (by) => () => {
      this.page += by;
      this.draw();
      say(`Page ${this.page + 1} of ${pages}`);
      this.pager.querySelector(`[data-turn="${by}"]:not(:disabled)`)?.focus();
    };
    this.pager.replaceChildren(
      element("button", { type: "button", disabled: this.page === 0, "data-turn": -1, onclick: turn(-1) }, "Previous"),
      element("span", {}, `Page ${this.page + 1} of ${pages}`),
      element("button", { type: "button", disabled: this.page >= pages - 1, "data-turn": 1, onclick: turn(1) }, "Next"));
  }
}

function who(candidate) {
  const name = candidate.name ? [valueOf(candidate.name), " "] : [];
  if (candidate.contact_id !== undefined && candidate.contact_id !== null) return [...name, `contact ${candidate.contact_id}`];
  if (candidate.account_id) return [`account ${candidate.account_id}`];
  return [`row ${candidate.row_number}`];
}

// A table of one row's values beside those of others: [{ title nodes, values, shares }].
function sideBySide(caption, own, ownTitle, others) {
  const fields = [...new Set([...Object.keys(own), ...others.flatMap((other) => [...Object.keys(other.values ?? {}), ...(other.shares ?? [])])])]
    .filter((field) => !["notes"].includes(field));
  const cell = (field, other) => {
    const [mine, theirs] = [own[field], (other.values ?? {})[field]];
    const isShared = (other.shares ?? []).includes(field);
    const badge = isShared ? element("span", { class: "shared" }, "✓ shared") : null;
    if (theirs === undefined) return element("td", {}, badge ?? element("span", { class: "none" }, "–"));
    if (isShared || sensitive.has(field) || mine === undefined) return element("td", { class: isShared ? "same" : null }, valueOf(asText(theirs)), " ", badge);
    if (asText(mine) === asText(theirs)) return element("td", { class: "same" }, valueOf(asText(theirs)), element("span", { class: "unseen" }, " the same"));
    return element("td", {}, side(differences(asText(mine), asText(theirs)), "new", "mark"));
  };
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, element("table", { class: "beside-table" }, element("caption", { class: "unseen" }, caption),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Field"), element("th", { scope: "col" }, ...ownTitle), ...others.map((other) => element("th", { scope: "col" }, ...other.title)))),
    element("tbody", {}, ...fields.map((field) => element("tr", {}, element("th", { scope: "row" }, field), element("td", {}, valueOf(asText(own[field]))), ...others.map((other) => cell(field, other)))))));
}

function copyButton(label, text, said) {
  return element("button", { type: "button", class: "copy small", "data-copy": text }, label, element("span", { class: "unseen" }, ` ${said}`));
}

function drawReviews() {
  new Cards(host("reviews-cards"), review.reviews, (row) => {
    const resolve = (to) => review.resolve.replace("ROW", row.row_number).replace("WHO", to);
    const named = row.candidates.filter((each) => each.contact_id !== undefined || each.account_id !== undefined);
    return element("article", { class: "card" },
      element("h3", {}, `Row ${number(row.row_number)}`),
      element("p", { dir: "auto" }, row.why),
      sideBySide(`Row ${row.row_number} beside whom it could be`, row.values, [`row ${number(row.row_number)}`], row.candidates.map((each) => ({
        ...each, title: [...who(each), each.active === false ? element("span", { class: "quiet" }, " (inactive)") : ""],
      }))),
      review.resolve ? element("p", { class: "choices screen" }, "Copy the command that decides: ",
        ...named.map((each) => copyButton(`it is ${each.contact_id !== undefined ? "contact" : "account"} ${each.contact_id ?? each.account_id}`, resolve(each.contact_id ?? each.account_id), `(row ${row.row_number})`)),
        copyButton("somebody new", resolve("new"), `(row ${row.row_number})`), copyButton("skip it", resolve("skip"), `(row ${row.row_number})`)) : null);
  });
}

function drawDuplicates() {
  new Cards(host("duplicates-cards"), review.duplicates, (row) => {
    const other = { row_number: row.other_row, contact_id: row.contact_id, name: row.name, values: row.other };
    return element("article", { class: "card" },
      element("h3", {}, `Row ${number(row.row_number)} `, element("span", { class: "quiet" }, row.outcome)),
      sideBySide(`Row ${row.row_number} beside what it duplicates`, row.values, [`row ${number(row.row_number)}`], [{ ...other, title: who(other) }]));
  });
}

function drawRepairs() {
  const rows = review.repairs.repairs.map(([row, column, before, after, why]) => ({ row, column, before, after, why }));
  new DataTable(host("repairs-table"), { caption: "Repairs", noun: "repair", rows, columns: [
    { title: "Row", leads: true, figure: true, width: 80, text: (row) => row.row, cell: (row) => number(row.row) },
    { title: "Column", text: (row) => row.column, cell: (row) => valueOf(row.column) },
    { title: "Before → after", most: 560, text: (row) => row.before, cell: (row) => beforeAfter(row.before, row.after, /^[^\p{L}\p{N}]*\*/u.test(row.before ?? "")) },
    { title: "Why", text: (row) => row.why, most: 420, cell: (row) => element("span", {}, row.why) },
  ] });
}

function drawDeactivations() {
  const rows = review.deactivations.contacts.map(([id, name]) => ({ id, name }));
  new DataTable(host("deactivations-table"), { caption: "Contacts that are deactivated", noun: "contact", rows, columns: [
    { title: "Contact", leads: true, figure: true, text: (row) => row.id, cell: (row) => String(row.id), width: 120 },
    { title: "Name", text: (row) => row.name, cell: (row) => valueOf(row.name), least: 220 },
  ] });
}

for (const [id, draw] of Object.entries({
  "rows-table": drawRows, "changes-table": drawChanges, "reviews-cards": drawReviews, "duplicates-cards": drawDuplicates,
  "repairs-table": drawRepairs, "deactivations-table": drawDeactivations,
})) if (host(id)) draw();
document.documentElement.dataset.ready = "yes";
