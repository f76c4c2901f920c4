"""Random cells of single statements, each with a decision, a corner, a list, or some bits of arrays: for tests only.

`random_programs` has branches, loops and functions; here are the many ways to look at a number.
"""

from __future__ import annotations

import random

# {t} is the new name; {a} and {b} are numbers, {A} and {B} arrays of four
NUMBERS = """
{t} = math.sqrt(abs({a})) + {b}
{t} = {a} * int({b})
{t} = {a} + round({b})
{t} = round({a}, 1) + {b}
{t} = math.floor({a}) * {b} + math.ceil({a})
{t} = {a} % 1.5 + {b}
{t} = {a} // 0.7 + {b} * 0.1
{t} = max({a}, {b}, 0.5)
{t} = sorted([{a}, {b}, 1.0])[1]
{t} = min([{a}, {b}], key=abs)
try:|    {t} = math.log({a}) * {b}|except ValueError:|    {t} = {a} * 3
try:|    {t} = {b} / round({a})|except ZeroDivisionError:|    {t} = {b}
{t} = {a} if math.isclose({a}, {b}, abs_tol=0.5) else -{b}
{t} = len(f'{{{a}:.1f}}') * {b}
{t} = {a}|n = 0|while abs({t}) > 0.4 and n < 9:|    n += 1|    {t} = {t} * 0.6 + 0.01 * {b}
{t} = math.copysign({a}, {b}) + math.fmod({a}, 1.3)
{t} = abs({a}) * {b}
{t} = math.hypot({a}, {b}) + math.atan2({a}, {b})
{t} = ({a} > {b}) * {a} + {b}
{t} = {{True: {a}, False: {b}}}[{a} < 1]
match {a}:|    case q if q > 1: {t} = {b}|    case _: {t} = {a} * {b}
{t} = sum(v * v for v in ({a}, {b}, 2) if v > 0) + {a}
{t} = math.erf({a}) + math.gamma(abs({b}) + 1)
{t} = divmod({a}, 0.9)[1] + {b}
{t} = math.prod([{a}, {b}, 1.1]) + math.fsum([{a}, {b}, 1.1])
{t} = {a} ** 3 - 2 ** {b}
{t} = math.exp(-{a} ** 2) + math.expm1({b})
{t} = (lambda p, q=2.0: p * q)({a}) - {b}
{t} = abs({a} + 1j * {b}) + cmath.exp(1j * {a}).real
{t} = {a} if not {b} else {b}
{t} = math.remainder({a}, 0.8) + {b}
{t} = statistics.median([{a}, {b}, 1]) + statistics.mean([{a}, {b}])
{t} = math.asin(math.tanh({a})) + {b}
""".strip().splitlines()
ARRAYS = """
{t} = {A} * {B}
{t} = np.sin({A}) + {b}
{t} = np.maximum({A}, {B})
{t} = np.where({A} > {b}, {A}, {B})
{t} = np.cumsum({A})
{t} = {A}[::-1] * {a}
{t} = np.sort({A})
{t} = {A}[np.argsort({B})]
{t} = np.array([{a}, {b}, 1.0, {a} * {b}])
{t} = np.clip({A}, -1, {b})
{t} = {A}.copy()|{t}[1:3] = {B}[:2]
{t} = np.zeros(4)|{t}[0] = {a}|{t}[1:] += {A}[1:]
{t} = {A} @ np.outer({B}, {A})
{t} = np.concatenate([{A}[2:], {B}[:2]])
{t} = {A} / (1 + {B} ** 2)
{t} = np.tanh({A}) * {b}
{t} = np.roll({A}, 1) - {B}
{t} = np.floor({A}) + {B}
{t} = np.stack([{A}, {B}]).mean(axis=0)
{t} = {A} * 1.0|{t}[{t} > {b}] = {a}
{t} = {A}.reshape(2, 2).T.ravel()
{t} = np.abs(np.fft.fft({A}))
{t} = np.linalg.solve(np.eye(4) * 3 + np.outer({A}, {A}), {B})
{t} = np.array([v * {a} for v in {A}])
{t} = {A}.astype(int) * {B}
{t} = {A} * 1|w = {t}[1:3]|w *= {b}
{t} = np.float32(0.5) * {A}
{t} = {A} * np.arange(4, dtype=np.float32)
""".strip().splitlines()
REDUCED = """
{t} = {A}.sum()
{t} = np.linalg.norm({A})
{t} = {A} @ {B}
{t} = np.max({A}) + {b}
{t} = {A}[np.argmax({B})]
{t} = np.median({A}) * {a}
{t} = {A}[1] - {B}[-1]
{t} = {A}.std() + {b}
{t} = np.prod({A})
{t} = {b} if np.any({A} > 1) else {a}
{t} = 0.0|for v in {A}:|    {t} = {t} + (v if v > 0 else v * {b})
{t} = np.percentile({A}, 30)
{t} = np.count_nonzero({A} > 0) * {a}
{t} = max({A})
""".strip().splitlines()


def cell(seed: int, arrays: bool, length: int = 7) -> str:
    """The source of a random cell of x and y that computes `out`."""
    draw = random.Random(seed)
    numbers, rows = ["x", "y"], ["u"]
    lines = ["u = np.array([x, y, x * y, 0.5])"] if arrays else []

    def pick(names: list[str]) -> str:
        return draw.choice(names[-3:] if draw.random() < 0.6 else names)

    for k in range(length):
        pool = draw.choice([NUMBERS, ARRAYS, REDUCED]) if arrays else NUMBERS
        target = f"{'r' if pool is ARRAYS else 'q'}{k}"
        text = draw.choice(pool).format(t=target, a=pick(numbers), b=pick(numbers), A=pick(rows), B=pick(rows))
        if draw.random() < 0.15:  # several times
            again = f"u = u * 0.9 + 0.01 * {target}" if pool is ARRAYS else f"x = x * 0.9 + 0.01 * {target}"
            text = f"for i in range({draw.randint(2, 4)}):|    " + text.replace("|", "|    ") + f"|    {again}"
        lines.append(text.replace("|", "\n"))
        (rows if pool is ARRAYS else numbers).append(target)
    ends = [n for n in numbers if n not in "xy"] + [f"{r}.sum()" for r in rows[1:]]
    return "\n".join([*lines, f"out = {' + '.join(ends) or 'x * y'}"]) + "\n"
