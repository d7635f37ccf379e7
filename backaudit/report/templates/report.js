
(() => {
  "use strict";
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // Theme: the system's unless the reader has chosen. Storage may be refused; then the choice lasts for the visit.
  const themes = ["system", "light", "dark"];
  const button = byId("theme");
  const remember = (theme) => { try { localStorage.setItem("backaudit-theme", theme); } catch { /* not ours to force */ } };
  const remembered = () => { try { return localStorage.getItem("backaudit-theme"); } catch { return null; } };
  const setTheme = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    button.querySelector("span").textContent = theme;
  };
  button.hidden = false;
  setTheme(themes.includes(remembered()) ? remembered() : "system");
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
    setTheme(next);
    remember(next);
  });

  // Examples stay open for readers without scripts and on paper.
  const details = all("details");
  const examples = details.filter((one) => !one.classList.contains("keep"));
  let opened = [];
  const fold = () => examples.forEach((one) => { one.open = false; });
  fold();
  addEventListener("beforeprint", () => {
    opened = details.filter((one) => one.open);
    details.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => details.forEach((one) => { one.open = opened.includes(one); }));

  // A link to a table opens it.
  const open = () => {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS" && !target.open) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  document.addEventListener("click", (event) => { if (event.target.closest?.('a[href^="#"]')) setTimeout(open); });
  open();

  const form = byId("filters");
  if (!form) return;
  form.hidden = false;
  const search = byId("search"), family = byId("family"), file = byId("file"), boxes = all("input[name=severity]", form);
  const sections = all(".family").map((element) => ({
    element,
    name: element.dataset.family,
    rules: all(".rule", element).map((rule) => ({
      element: rule,
      about: rule.querySelector("h3").textContent + "\n" + rule.querySelector(".ids").textContent,
      findings: all(".finding", rule).map((finding) => ({
        element: finding, severity: finding.dataset.severity, file: finding.dataset.file, text: null,
      })),
    })),
  }));
  const total = all(".finding").length;

  const textOf = (rule, finding) => {
    finding.text ??= (rule.about + "\n" + finding.element.textContent).toLowerCase();
    return finding.text;
  };
  const show = (element, visible) => { if (element.hidden === visible) element.hidden = !visible; };

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const section of sections) {
      const wanted = !family.value || family.value === section.name;
      let inSection = 0;
      for (const rule of section.rules) {
        let inRule = 0;
        for (const finding of rule.findings) {
          const fits = wanted && severities.has(finding.severity) && (!file.value || file.value === finding.file)
            && words.every((word) => textOf(rule, finding).includes(word));
          show(finding.element, fits);
          inRule += fits;
        }
        show(rule.element, inRule > 0);
        inSection += inRule;
      }
      show(section.element, inSection > 0);
      shown += inSection;
    }
    const narrowed = words.length > 0 || family.value !== "" || file.value !== "" || severities.size < boxes.length;
    byId("state").textContent = narrowed ? `${shown} of ${total} shown` : total === 1 ? "1 finding" : `${total} findings`;
    byId("clear").disabled = !narrowed;
    byId("nothing").hidden = shown > 0;
  };

  let pending = 0;
  const soon = () => { cancelAnimationFrame(pending); pending = requestAnimationFrame(apply); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  byId("all").addEventListener("click", () => { form.reset(); search.focus(); });

  // A link to something that a filter hides shows it.
  const reveal = () => {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest("[hidden]")) return;
    form.reset();
    setTimeout(() => { apply(); target.scrollIntoView(); });
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => { if (event.target.closest?.('a[href^="#"]')) setTimeout(reveal); });

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, select")) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search && search.value) {
      event.preventDefault();
      search.value = "";
      apply();
    }
  });
  apply();
})();
