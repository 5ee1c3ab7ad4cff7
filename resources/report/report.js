"use strict";
// Sorting and filtering of tables; without it they read as they are.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, words: row.textContent.toLocaleLowerCase() }));
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

  const filters = document.getElementById(`${table.id}-filters`);
  if (!filters) continue;
  const [find, shown] = [filters.querySelector("input"), filters.querySelector("output")];
  const choices = [...filters.querySelectorAll("select")];
  const number = (count) => count.toLocaleString("en");
  for (const choice of choices) {
    const counts = new Map();
    for (const { row } of rows) {
      const words = row.dataset[choice.dataset.by];
      counts.set(words, (counts.get(words) || 0) + 1);
    }
    for (const [words, count] of counts) choice.add(new Option(`${words} (${number(count)})`, words));
  }
  const filter = () => {
    const wanted = find.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, words } of rows) {
      const fits =
        choices.every((choice) => !choice.value || row.dataset[choice.dataset.by] === choice.value) &&
        wanted.every((word) => words.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    const of = count === rows.length ? "" : ` of ${number(rows.length)}`;
    shown.value = `${number(count)}${of} ${filters.dataset.rows}`;
  };
  for (const control of [find, ...choices]) control.addEventListener("input", filter);
  filters.hidden = false;
  filter();
}
