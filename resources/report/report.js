"use strict";
// Sorting of tables, and filtering of the table of facts; without it they read as they are.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({
    row,
    words: row.textContent.toLocaleLowerCase(),
    group: row.cells[1].textContent,
    fate: row.cells[row.cells.length - 1].dataset.fate,
  }));
  const heads = [...table.tHead.rows[0].cells];
  const marks = ["fails", "weak", "holds", "neutral"];

  const value = (cell, how) => {
    if (how === "mark") return marks.findIndex((mark) => cell.firstElementChild.classList.contains(mark));
    if (how === "key") return Number(cell.dataset.key);
    return cell.textContent;
  };
  const sort = (head, at) => {
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
    const words = new Intl.Collator(undefined, { numeric: true });
    for (const each of rows) each.value = value(each.row.cells[at], head.dataset.sort);
    const less = head.dataset.sort === "words" ? words.compare : (one, other) => one - other;
    rows.sort((one, other) => down * less(one.value, other.value));
    body.append(...rows.map((each) => each.row));
  };
  heads.forEach((head, at) => {
    const button = document.createElement("span"); // a real button isn't printed on the pages after the first
    button.role = "button";
    button.tabIndex = 0;
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, at));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(head, at);
    });
    head.append(button);
  });
  if (table.id !== "facts") continue;

  const [find, group, fate, shown] = ["find", "group", "fate", "shown"].map((id) => document.getElementById(id));
  const offer = (select, name) => {
    const counts = new Map();
    for (const each of rows) counts.set(each[name], (counts.get(each[name]) || 0) + 1);
    for (const [words, count] of counts) select.add(new Option(`${words} (${count.toLocaleString("en")})`, words));
  };
  const filter = () => {
    const words = find.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of rows) {
      const fits =
        (!group.value || each.group === group.value) &&
        (!fate.value || each.fate === fate.value) &&
        words.every((word) => each.words.includes(word));
      each.row.hidden = !fits;
      count += fits;
    }
    shown.value =
      count === rows.length
        ? `${count.toLocaleString("en")} facts`
        : `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} facts`;
  };
  offer(group, "group");
  offer(fate, "fate");
  for (const control of [find, group, fate]) control.addEventListener("input", filter);
  document.getElementById("filters").hidden = false;
  filter();
}
