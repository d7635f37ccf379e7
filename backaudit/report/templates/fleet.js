
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const overview = byId("overview");
  const repositories = all(".repo");
  document.body.classList.add("paged");

  // A repository is a page of its own: its address shows it, and hides the rest.
  let last = 0;
  const turn = () => {
    const asked = repositories.find((one) => `#${one.id}` === location.hash);
    const before = repositories.find((one) => one.classList.contains("open"));
    if (asked && !before) last = scrollY;
    repositories.forEach((one) => one.classList.toggle("open", one === asked));
    overview.classList.toggle("away", Boolean(asked));
    if (asked) { scrollTo(0, 0); asked.focus({ preventScroll: true }); }
    else if (before && location.hash === "#repositories") scrollTo(0, last);
  };
  addEventListener("hashchange", turn);
  turn();

  const form = byId("fleet-filters");
  form.hidden = false;
  const rows = all("#fleet-table tbody tr").map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    families: element.dataset.families.split(" "),
    labels: element.dataset.labels.split("\n"),
    worst: element.dataset.worst.split(" "),
    state: element.dataset.state.split(" "),
  }));
  const severities = ["critical", "high", "medium", "low"];
  const search = byId("search"), mistake = byId("mistake"), severity = byId("severity"), state = byId("state"), label = byId("label");
  const fits = (row, words) =>
    words.every((word) => row.text.includes(word))
    && (!mistake.value || row.families.includes(mistake.value))
    && (!severity.value || severities.slice(0, severities.indexOf(severity.value) + 1).some((one) => row.worst.includes(one)))
    && (!state.value || row.state.includes(state.value))
    && (!label || !label.value || row.labels.includes(label.value));
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fit = fits(row, words);
      if (row.element.hidden === fit) row.element.hidden = !fit;
      shown += fit;
    }
    byId("matching").textContent = shown === rows.length ? `${rows.length} repositories` : `${shown} of ${rows.length} repositories`;
    byId("nothing").hidden = shown > 0;
    byId("clear").disabled = shown === rows.length;
  };
  let pending = 0;
  const soon = () => { cancelAnimationFrame(pending); pending = requestAnimationFrame(apply); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  byId("all").addEventListener("click", () => { form.reset(); search.focus(); });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { event.preventDefault(); search.focus(); }
  });
  apply();

  // Columns are sorted by their headings.
  const body = document.querySelector("#fleet-table tbody");
  const valueOf = (row, column, kind) => {
    const cell = row.element.cells[column];
    if (kind === "text") return cell.textContent.trim().toLowerCase();
    return kind === "weight" ? Number(cell.dataset.value) : parseFloat(cell.textContent) || 0;
  };
  all("#fleet-table thead th").forEach((heading, column, headings) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const kind = heading.dataset.sort;
      const first = kind === "text" ? "ascending" : "descending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? other : first;
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => [valueOf(row, column, kind), row.element]);
      keyed.sort(([one], [two]) => sign * (one < two ? -1 : one > two ? 1 : 0));
      body.append(...keyed.map(([, element]) => element));
    });
  });
})();
