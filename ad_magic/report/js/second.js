// Gradient and Hessian at other points: second.py and second_html.py once more, into what these have drawn.

const EIGEN_ZERO = 1e-10, NEAR_ZERO = 1e-6, EIGEN_LISTED = 8, DEEPEST = 36;

// The eigenvalues of a symmetric matrix, from the greatest down, by rotations (Jacobi, 1846).
function eigenvaluesOf(rows) {
  const a = rows.map((line, i) => line.map((x, j) => x / 2 + rows[j][i] / 2)), n = a.length;
  for (let sweep = 0; sweep < 40; sweep++) {
    let left = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const small = 1e-17 * Math.sqrt(Math.abs(a[p][p] * a[q][q]));
        if (Math.abs(a[p][q]) <= small || a[p][q] === 0) continue;
        left++;
        const half = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(half, 1)), c = 1 / Math.hypot(t, 1), s = t * c;
        for (let k = 0; k < n; k++) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
      }
    }
    if (!left) break;
  }
  return a.map((line, k) => line[k]).sort((x, y) => y - x);
}

// The signs of the eigenvalues in words.
function saidOfSigns(up, down, flat, stationary) {
  const found = [[up, "positive", "up"], [down, "negative", "down"], [flat, "zero", "straight"]].filter(([n]) => n);
  const counts = found.map(([n, sign]) => `${n} ${sign}`).join(", ");
  if (stationary) {
    const verdict = up && down ? "a saddle" : flat ? "undecided by second derivatives" : up ? "a minimum" : "a maximum";
    return `${counts}: ${verdict}`;
  }
  const ways = found.map(([n, , way]) => `${way} along ${n}`);
  ways[0] += ` direction${found[0][0] !== 1 ? "s" : ""}`;
  return `${counts}: ${found[0][2] !== "straight" ? "curves " : ""}${ways.join(", ")}`;
}

// What there is to say of a gradient and a Hessian at the point x.
function secondOf(gradient, hessian, x) {
  const bad = hessian.flat().filter((h) => !Number.isFinite(h)).length;
  if (bad) {
    const words = `${bad} of ${hessian.length ** 2} second derivatives are NaN or infinite: there are no eigenvalues.`;
    return { gradient, hessian, eigenvalues: [], more: 0, words };
  }
  const exact = eigenvaluesOf(hessian), most = (numbers) => Math.max(0, ...numbers.map(Math.abs));
  const all = exact.map((e) => (Math.abs(e) <= EIGEN_ZERO * most(exact) ? 0 : e));
  const up = all.filter((e) => e > 0).length, down = all.filter((e) => e < 0).length;
  const stationary = most(gradient) <= NEAR_ZERO * most(exact) * Math.max(1, most(x));
  const half = EIGEN_LISTED / 2, more = Math.max(0, all.length - EIGEN_LISTED);
  const eigenvalues = more ? [...all.slice(0, half), null, ...all.slice(-half)] : all;
  return { gradient, hessian, eigenvalues, more, words: saidOfSigns(up, down, all.length - up - down, stationary) };
}

// `slope(found, input)` is the derivative by an input, `rooms` has the widths of columns. Null where nothing was drawn.
function heat(report, data, rooms, slope) {
  const part = report.querySelector(".ad-second"), { digits } = data.second;
  const find = (selector) => part.querySelector(selector);
  if (!part || !find(".ad-second-body")) return null;
  const flat = (of) => Object.keys(data.inputs).flatMap((input) => ((x) => (typeof x === "number" ? [x] : x.data))(of(input)));
  const slopes = (found) => flat((input) => slope(found, input)); // in the order of the seeds
  const inputs = (found) => flat((input) => arranged(found.values[data.inputs[input].row], data.inputs[input].shape));
  const lines = [...part.querySelectorAll(".ad-heat tbody tr")].map((line) => [...line.querySelectorAll("td")]);
  const list = find(".ad-eigen ol"), words = find(".ad-second-words");
  const cells = find(".ad-heat-cells"), row = find(".ad-heat-slopes");
  const roomOf = (what) => rooms.get(what) ?? rooms.set(what, { left: 0, right: 0 }).get(what);
  let told = false; // what is shown was said by the kernel, and still holds

  function write(cell, x, text, top) {
    const samp = cell.firstElementChild, deep = Number.isFinite(x) && top ? Math.round((DEEPEST * 10 * Math.abs(x)) / top) / 10 : 0;
    if (samp.textContent !== text) samp.textContent = text;
    cell.classList.toggle("ad-bad", !Number.isFinite(x));
    cell.classList.toggle("ad-zero", x === 0);
    cell.classList.toggle("ad-less", x < 0);
    if (top !== undefined) cell.style.setProperty("--ad-deep", `${deep}%`);
  }

  function put({ gradient, hessian, eigenvalues, more, words: text }) {
    const top = Math.max(0, ...hessian.flat().filter(Number.isFinite).map(Math.abs));
    if (cells) {
      cells.innerHTML = stripCells(hessian);
      row.innerHTML = stripCells([gradient]);
    } else {
      gradient.forEach((slope, k) => {
        const column = [slope, ...hessian.map((line) => line[k])];
        const texts = align(column.map((x) => number(x, digits)), NBSP, roomOf(`second ${k}`));
        column.forEach((x, i) => write(lines[i][k], x, texts[i], i ? top : undefined));
      });
    }
    const texts = align(eigenvalues.map((x) => (x === null ? "" : number(x, digits))), NBSP, roomOf("eigenvalues"));
    const items = eigenvalues.map((x, k) => (x === null
      ? `<li class="ad-quiet">\u2026 ${more} more</li>`
      : `<li class="${x < 0 ? "ad-less" : x ? "" : "ad-zero"}"><samp>${texts[k]}</samp></li>`)).join("");
    if (list.innerHTML !== items) list.innerHTML = items;
    if (words.textContent !== text) words.textContent = text;
  }

  return {
    put(second) {
      put(second);
      told = true;
      part.classList.remove("ad-stale");
    },
    // Without a program the Hessian is that of the point where the report was made, or that the kernel has told.
    show(found, moved) {
      if (moved) told = false;
      const known = found.second && !found.changed;
      part.classList.toggle("ad-stale", !known && (moved || Boolean(found.changed)));
      if (!known || told) return;
      put(Array.isArray(found.second) ? secondOf(slopes(found), found.second, inputs(found)) : found.second);
    },
  };
}
