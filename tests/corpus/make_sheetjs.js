// Makes the workbooks of SheetJS that lie in sheetjs/: .xlsb and .xls, which nothing in Python writes, and .xlsx.
//
//     npm install xlsx@0.18.5 && node make_sheetjs.js
"use strict";

const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");
const vm = require("vm");

const HERE = path.join(__dirname, "sheetjs");
const HEADINGS = ["First name", "Last name", "Email", "Phone"];
const ROWS = [
  ["Ada", "Lovelace", "ada@example.com", "+1 202 555 0143"],
  ["Grace", "Hopper", "grace@example.com", "(202) 555-0166"],
  ["Joan", "Clarke", null, "0207 946 0123"],
];
const ERRORS = { "#N/A": 0x2a, "#DIV/0!": 0x07, "#REF!": 0x17 };

// SheetJS lets a cell of an .xlsb follow another one without naming its column; Excel names it in each.
function withLongCells() {
  const file = require.resolve("xlsx");
  const source = fs.readFileSync(file, "utf8");
  const changed = source.replace(/last_seen = write_ws_bin_cell\(/g, "write_ws_bin_cell(");
  if (changed === source) throw new Error("write_ws_bin_cell is not called as expected");
  const made = { exports: {} };
  vm.runInThisContext(`(function (exports, module, require) {${changed}\n})`)(made.exports, made, createRequire(file));
  return made.exports.write ? made.exports : globalThis.XLSX;
}

function sheet(X, rows) {
  return X.utils.aoa_to_sheet(rows);
}

function values(X) {
  const headings = ["Name", "Zip", "Day", "Time", "Duration", "Flag", "Error", "Number", "Formula"];
  const made = sheet(X, [headings]);
  const number = (v, z) => ({ t: "n", v, z });
  const rows = [
    [{ t: "s", v: "Ada" }, number(501, "00000"), number(31391, "dd/mm/yyyy"), number(0.75, "hh:mm"),
      number(1.5, "[h]:mm"), { t: "b", v: true }, { t: "e", v: ERRORS["#N/A"] }, number(1234.5), { t: "s", v: "x", f: '"x"' }],
    [{ t: "s", v: "Grace" }, number(2139, "00000"), number(45351.5, "yyyy-mm-dd hh:mm"), number(0.2708333333333333, "hh:mm"),
      number(0.0625, "[h]:mm"), { t: "b", v: false }, { t: "e", v: ERRORS["#DIV/0!"], f: "1/0" }, number(0.1 + 0.2),
      { t: "n", v: 42, f: "40+2" }],
    [{ t: "s", v: "José 山田 😀" }, number(447911123456), null, null, null, null, { t: "e", v: ERRORS["#REF!"] },
      number(-0.07), { t: "b", v: true, f: "TRUE" }],
  ];
  rows.forEach((row, r) => row.forEach((cell, c) => {
    if (cell) made[X.utils.encode_cell({ r: r + 1, c })] = cell;
  }));
  made["!ref"] = "A1:I4";
  return made;
}

function hidden(X) {
  const made = sheet(X, [HEADINGS, ...ROWS]);
  made["!rows"] = [{}, {}, { hidden: true }];
  made["!cols"] = [{}, {}, { hidden: true }];
  made["!merges"] = [{ s: { r: 1, c: 5 }, e: { r: 2, c: 6 } }];
  return made;
}

function books(X) {
  const table = () => sheet(X, [HEADINGS, ...ROWS]);
  return {
    table: { Contacts: table() },
    title: { Contacts: sheet(X, [["Contacts of May"], [], HEADINGS, ...ROWS]) },
    sheets: { Notes: sheet(X, [["Please read"], ["and fill in"]]), Data: table() },
    hidden: { Contacts: hidden(X) },
    values: { Contacts: values(X) },
    since_1904: { Contacts: values(X) },
  };
}

function save(X, ending, suffix = "", names = ["table", "title", "sheets", "hidden", "values", "since_1904"]) {
  for (const [name, sheets] of Object.entries(books(X)).filter(([name]) => names.includes(name))) {
    const book = { SheetNames: Object.keys(sheets), Sheets: sheets };
    if (name === "since_1904") book.Workbook = { WBProps: { date1904: true } };
    const content = X.write(book, {
      type: "buffer", bookType: ending === "xls" ? "biff8" : ending, cellStyles: true, compression: true, bookSST: true,
    });
    fs.writeFileSync(path.join(HERE, `${name}${suffix}.${ending}`), content);
  }
}

fs.mkdirSync(HERE, { recursive: true });
const XLSX = require("xlsx");
for (const ending of ["xlsx", "xls"]) save(XLSX, ending);
save(XLSX, "xlsb", "", ["table", "title", "sheets", "hidden", "values"]); // it has no epoch there
save(withLongCells(), "xlsb", "_long", ["table", "values"]);
