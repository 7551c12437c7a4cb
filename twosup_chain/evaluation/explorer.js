"use strict";
// Takes the decision of `outcomes.decisions.decide` on the columns of the page, at thresholds that move, and lists the
// questions. Texts enter the page as texts only.
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const [LOCAL_FAILED, REMOTE_FAILED, LOCAL_RIGHT, REMOTE_RIGHT, LOCAL_NONE, REMOTE_NONE] = [1, 2, 4, 8, 16, 32];
  const SOME = 50;
  const n = data.local.length;
  const id = (name) => document.getElementById(name);
  const now = { ...data.thresholds };
  let shown = SOME;

  const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");
  const least = (role, none) => (none && data.no_answer_thresholds[role] !== null ? data.no_answer_thresholds[role] : now[role]);

  // What becomes of a question: who is trusted, and whether rightly.
  const ending = (row) => {
    const bits = data.bits[row];
    if (!(bits & LOCAL_FAILED) && data.local[row] >= least("local", bits & LOCAL_NONE)) {
      return { by: "local", right: (bits & LOCAL_RIGHT) > 0 };
    }
    if (!(bits & REMOTE_FAILED) && data.remote[row] >= least("remote", bits & REMOTE_NONE)) {
      return { by: "remote", right: (bits & REMOTE_RIGHT) > 0 };
    }
    return { by: "open", right: false };
  };

  const count = () => {
    const seen = { calls: 0, trusted: 0, wrong: 0, cost: 0 };
    for (let row = 0; row < n; row += 1) {
      const end = ending(row);
      if (end.by !== "local") {
        seen.calls += 1;
        if (data.cost) seen.cost += data.cost[row];
      }
      if (end.by !== "open") {
        seen.trusted += 1;
        if (!end.right) seen.wrong += 1;
      }
    }
    id("now-calls").textContent = percent(seen.calls, n);
    id("now-coverage").textContent = percent(seen.trusted, n);
    id("now-risk").textContent = percent(seen.wrong, seen.trusted);
    id("now-right").textContent = percent(seen.trusted - seen.wrong, n);
    if (data.cost) id("now-cost").textContent = ((1000 * seen.cost) / n).toPrecision(3);
  };

  const make = (tag, text, kind) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  // A foreign text keeps its direction to itself.
  const foreign = (text, kind) => make("bdi", text, kind);

  const marked = (passage, said) => {
    const made = make("p", undefined, "passage");
    const at = said.filter((text) => text && passage.includes(text)).map((text) => [passage.indexOf(text), text.length]);
    const [start, length] = at[0] || [passage.length, 0];
    made.append(passage.slice(0, start));
    if (length) made.append(make("mark", passage.slice(start, start + length)));
    made.append(passage.slice(start + length));
    return made;
  };

  const detail = (found, row) => {
    const bits = data.bits[row];
    const list = make("dl");
    const line = (name, text) => list.append(make("dt", name), make("dd")) || list.lastChild.append(foreign(text));
    if (found.answers) line("accepted", found.answers.length ? found.answers.join(" · ") : "no answer");
    const said = (role, right, name) =>
      line(name, `${found[role] ?? "(not kept)"} — ${bits & right ? "right" : "wrong"}, trust ${data[role][row].toFixed(3)}`);
    said("local", LOCAL_RIGHT, "local model");
    said("remote", REMOTE_RIGHT, "hosted model");
    const box = make("div", undefined, "detail");
    box.append(list);
    if (found.passage) box.append(marked(found.passage, [found.remote, found.local, ...(found.answers || [])]));
    return box;
  };

  const ENDS = { local: "local model", remote: "hosted model", open: "left open" };
  const fits = (found, row, words, wanted) => {
    const end = ending(row);
    const kind = wanted === "" || wanted === end.by || (wanted === "wrong" && end.by !== "open" && !end.right);
    const text = [found.id, found.question, found.local, found.remote, ...(found.answers || [])].join("\n").toLowerCase();
    return kind && words.every((word) => text.includes(word));
  };

  const list = () => {
    const words = id("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.questions.map((found, row) => [found, row]).filter(([found, row]) => fits(found, row, words, id("which").value));
    const items = rows.slice(0, shown).map(([found, row]) => {
      const end = ending(row);
      const item = make("details", undefined, "question");
      const head = make("summary");
      head.append(make("i", undefined, `${end.by}${end.by !== "open" && !end.right ? " wrong" : ""}`), foreign(found.question ?? found.id));
      head.append(make("span", `${ENDS[end.by]}${end.by === "open" ? "" : end.right ? ", right" : ", wrong"}`, "quiet"));
      item.append(head);
      item.addEventListener("toggle", () => item.open && item.children.length === 1 && item.append(detail(found, row)));
      return item;
    });
    id("questions").replaceChildren(...items);
    id("found").textContent = `${rows.length} of ${data.questions.length} questions`;
    id("more").hidden = rows.length <= shown;
  };

  const set = (role, value) => {
    now[role] = value;
    id(`${role}-threshold`).value = value;
    id(`${role}-shown`).textContent = value.toFixed(3);
  };
  const reset = () => {
    for (const role of ["local", "remote"]) set(role, data.thresholds[role]);
    now.local = data.thresholds.local; // a slider rounds to its steps
    now.remote = data.thresholds.remote;
    count();
    list();
  };
  for (const role of ["local", "remote"]) {
    id(`${role}-threshold`).addEventListener("input", (event) => {
      set(role, Number(event.target.value));
      count();
      list();
    });
  }
  id("reset").addEventListener("click", reset);
  id("search").addEventListener("input", () => { shown = SOME; list(); });
  id("which").addEventListener("change", () => { shown = SOME; list(); });
  id("more").addEventListener("click", () => { shown += SOME; list(); });
  id("explorer").hidden = false;
  reset();
})();
