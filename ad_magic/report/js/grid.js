// Which values a slider can take: grid.py once more. A grid is { lo, hi, steps }.

const FINE = 200, CLEAN_DIGITS = 12;

function gridValue({ lo, hi, steps }, index) {
  if (index <= 0) return lo;
  if (index >= steps) return hi;
  const value = lo * (1 - index / steps) + hi * (index / steps);
  const largest = Math.max(Math.abs(lo), Math.abs(hi));
  return largest ? atPlaces(value, CLEAN_DIGITS - Math.ceil(Math.log10(largest))) : value;
}

// A number with so many decimals: free of rounding dust, also where it is very large or small.
function atPlaces(value, places) {
  if (!value) return value;
  const digits = Math.floor(Math.log10(Math.abs(value))) + 1 + places;
  return digits < 1 ? 0 : digits > 17 ? value : Number(value.toPrecision(digits));
}

function gridIndex({ lo, hi, steps }, value) {
  const half = hi / 2 - lo / 2;
  const share = half ? (value / 2 - lo / 2) / half : 0;
  const place = share * steps, up = Math.round(place); // halfway between two steps it is the even one, as in Python
  return Math.min(Math.max(up - place === 0.5 && up % 2 ? up - 1 : up, 0), steps);
}

// The grid with one end moved outward, so that it holds the value.
function widen(grid, value) {
  if ((grid.lo <= value && value <= grid.hi) || !Number.isFinite(value)) return grid;
  let lo = Math.min(grid.lo, value), hi = Math.max(grid.hi, value);
  const coarse = roundDown(hi / 10 - lo / 10);
  if (lo < grid.lo) lo = 0 - upward(-lo, coarse);
  else hi = upward(hi, coarse);
  const step = grid.hi / grid.steps - grid.lo / grid.steps;
  const steps = hi / step - lo / step;
  if (steps <= 5 * FINE && Math.abs(steps - Math.round(steps)) < 1e-6) return { lo, hi, steps: Math.round(steps) };
  const fine = roundDown((hi - lo) / FINE);
  const count = fine ? (hi - lo) / fine : Infinity;
  return { lo, hi, steps: Number.isFinite(count) && Math.abs(count - Math.round(count)) <= 1e-9 ? Math.max(Math.round(count), 1) : FINE };
}

function roundDown(size) {
  if (!(size > 0) || size === Infinity) return 0;
  const power = Math.floor(Math.log10(size) + 1e-12);
  const mantissa = power > -300 ? size / Number(`1e${power}`) : 0;
  const leading = [5, 2, 1].find((m) => m <= mantissa * (1 + 1e-9)) ?? 0;
  return Number(`${leading}e${power}`);
}

function upward(end, coarse) {
  if (!coarse) return end;
  const moved = Number((Math.ceil(Number((end / coarse).toFixed(9))) * coarse).toPrecision(12));
  return Number.isFinite(moved) ? Math.max(moved, end) : end;
}
