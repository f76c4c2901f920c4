// How a number is written: number.py once more, text for text.

const MINUS = "\u2212", NBSP = "\u00a0";
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
const range = (start, stop) => Array.from({ length: stop - start }, (_, k) => start + k);

// Significant digits and exponent of a finite number that is not negative. A tie goes to the even digit, as in Python.
function rounded(size, digits) {
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  const longer = size.toExponential(digits); // one digit more: ends in 5 where there may be a tie, which went up
  if (longer[digits + 1] === "5" && Number(longer) === size && isExact(size, digits)) {
    const [down, power] = longer.replace(".", "").split("e");
    if (Number(down[digits - 1]) % 2 === 0) return [down.slice(0, digits), Number(power)];
  }
  return [mantissa.replace(".", ""), Number(exponent)];
}

// Whether a number has no digits but zeros after the next one.
const isExact = (size, digits) => /^.0*$/.test(size.toExponential(99).split("e")[0].replace(".", "").slice(digits));

function number(value, digits) {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 ? MINUS : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}inf`;
  if (size === 0) return "0";
  const [all, exponent] = rounded(size, digits);
  const kept = all.replace(/0+$/, "");
  if (exponent < -4 || exponent >= digits) {
    return `${sign}${kept[0]}${kept.length > 1 ? `.${kept.slice(1)}` : ""}e${exponent < 0 ? MINUS : ""}${Math.abs(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${kept}`;
  const whole = kept.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return sign + whole + (kept.length > exponent + 1 ? `.${kept.slice(exponent + 1)}` : "");
}

// A written number before and from its decimal point (or exponent).
function split(text) {
  const place = /\d$/.test(text) ? text.search(/[.e]/) : -1;
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place)];
}

// The texts padded to one width, points under one another. `room` is the width that a column has had: it only grows.
function align(texts, pad, room = { left: 0, right: 0 }) {
  const parts = texts.map(split);
  for (const [whole, rest] of parts) {
    room.left = Math.max(room.left, whole.length);
    room.right = Math.max(room.right, rest.length);
  }
  return parts.map(([whole, rest]) => pad.repeat(room.left - whole.length) + whole + rest + pad.repeat(room.right - rest.length));
}

// A number, or an array (array.js), for a narrow place.
function brief(x, digits) {
  if (typeof x === "number") return number(x, digits);
  if (isShort(x)) return oneLine(x, Math.min(digits, TEXT_DIGITS), " ");
  return x.data.length ? `${shapeText(x.shape)} ${spark(x)} \u2016\u00b7\u2016 ${number(norm(x), digits)}` : `${shapeText(x.shape)} empty`;
}
