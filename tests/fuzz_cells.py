"""Random cells and lines of arguments, valid and broken: for the fuzz test only.

No line begins with "!", "%" or "?": what a random cell says to the shell of the machine is nobody's test.
"""

from __future__ import annotations

import random
import re

import random_cells
from random_programs import Program

SMALL = """
y = x*x
x**2 + 1
y = math.sin(x)*x
y = np.exp(-x)
y = abs(x) + max(x, 0) + x//1
y = [x, x*x]
y = np.array([x, 2*x])
y = np.array([x, 2*x]).sum()
y = {'a': x}['a']
y = x if x == 1 else -x
y = (1 - math.cos(x))/x**2
y = math.sqrt(x)
y = math.log(x)
y = 1/x
y = x/0
y = x*1j
y = abs(x*1j)
y = 'a'
y = None
y = x > 1
y = (x > 1)*x
y = int(x)*x + round(x)
y = float(str(x))
y = len(x)
y = x[0]
y = x.foo
y = undefined
y = x + 'a'
y = range(x)
y = [1, 2, 3][x]
y = math.factorial(x)
y = math.floor(x)
y = f'{x:.3f}'
y = f'{x:zzz}'
y = "<img src=q onerror=alert(1)>"
d = {'<b onmouseover=x>': x}; y = d['<b onmouseover=x>']*2
print(x, '<script>alert(1)</script>'); y = x
y = x;
x
x;
pass
import os
del x
x = x*2
x += 1; y = x
y: float = x*2
y = z = x*x
(y, z) = x, x*x
y = (w := x*x) + w
for y in [x, 2*x]: pass
for y in x: pass
with open('/nonexistent/file') as f: y = x
raise ValueError('<i>no</i>')
raise KeyError(x)
raise x
assert x > 1e9, x
y = (lambda t: t*t)(x)
def f(t):|    return t*t|y = f(x)
def f(t):|    t*t|y = f(x)
class A:|    pass|a = A()|a.v = x*2|y = a.v
def f(n):|    return f(n)|y = f(x)
def g():|    yield x|    yield x*x|y = sum(g())
async def f():|    return x|y = x
await x
async with x: pass
return x
yield x
break
global q
nonlocal q
from nowhere import nothing
import json; y = json.dumps(x)
import pickle; y = pickle.dumps([x])
import copy; y = copy.deepcopy(x)
import decimal; y = decimal.Decimal(x)
import fractions; y = fractions.Fraction(1, 3)*x
import struct; y = struct.pack('d', x)
a = np.zeros(3); a[1] = x; y = a.sum()
a = np.zeros(3, dtype=int); a[1] = x; y = a.sum()
a = np.arange(3); a += x; y = a.sum()
a = np.zeros(3); a.flags.writeable = False; a[0] = x; y = a.sum()
a = np.array([x], dtype=object); y = a.sum()
a = np.array(['a', x]); y = x
np.add(x, 1, out=w)
w *= x; y = w.sum()
w[5] = x
y = w @ w * x
y = np.linalg.solve(np.eye(2)*x, np.ones(2)).sum()
y = np.linalg.inv(np.zeros((2, 2))*x)
y = np.zeros((2, 2)) @ np.zeros(3)*x
y = np.fft.fft(w*x)
y = np.sort(w)*x
y = np.nothing(x)
y = np.einsum('i,i', w, w)*x
y = w.reshape(7, 9)
math = 3; y = x
np = None; y = x
print = 3; y = x
float = int; y = float(x)
import math as np; y = np.sin(x)
math.sin = None; y = x
x = 'a'
y = eval('x*x')
exec('y = x*x*x')
y = globals()['x']*2
y = vars()['x']
y = [x for _ in range(3)]
y = sum(t*t for t in (x, 2*x))
y = sorted([x, 1, -x])[1]
y = {x: 1}[x]
y = hash(x)*x
y = isinstance(x, float)*x
y = type(x)(x)*x
match x:|    case 1: y = x|    case _: y = x*x
try:|    y = 1/(x - 2)|except ZeroDivisionError:|    y = x
try:|    y = math.log(-x)|except ValueError as error:|    y = x|    said = str(error)
try:|    raise KeyError|finally:|    y = x
if x > 1:|    y = x*x|else:|    y = -x
while x < 100 and n < 50: x = x*2 + 1; n += 1
y = 0|for i in range(5): y += x**i/(i + 1)
π = x*2; y = π**2
变量 = x; y = 变量*x
ẋ = x*3; ẋ
""".strip().splitlines()

# fmt: off
_VALUES = """
2.0 0.0 -0.0 1 -3 1e308 -1e308 1e-320 1e400 float('nan') float('inf') -float('inf') 10**400 True None 'a' [1,2] (1,2)
{} {1} np.array([1.0,-2.0]) np.array([[1.,2.],[3.,4.]]) np.zeros(0) np.zeros((2,0)) np.array(1.5) np.array('a')
np.array([1j]) np.array([1,2]) np.array([True]) np.float32(0.5) np.float64(0.5) np.int64(3) np.longdouble(0.5)
np.float16(1) 3+4j 1j 1/0 x w n undefined lambda:1 len math (1 1) [ "" '' = == 3x π é 0x1F 1_000 .5 5. 1e5 --2 ~1 not
not(1) __import__ ... np.matrix([[1.,2.]]) np.ma.array([1.0,2.0]) object() type range(3) "a b" 1;2 x:=3 (x:=3) {x} $x
{n} \\ \\n '<img/src=q/onerror=a()>'
"""
_NAMES = """
x x x x y w n z q a_very_long_name_of_an_input π λ é 变量 class None _ __ x.y x[0] 3x - -- = * <b> &amp; \u202e 𝑥
"""
_OPTIONS = r"""
--of y|--of y|--of z|--of y,z|--of|--of=|--of 3|--of <b>|--of ,|--mode both|--mode forward|--mode reverse|--mode none
--mode|--m both|--range x=0:4|--range x=0:4:0.1|--range x=4:0|--range x|--range x=nan:inf|--range x=0:1:0
--range q=0:1|--range w[0]=0:1|--range w[9]=0:1|--range x[0]=0:1|--range x=1e308:-1e308|--range x=-1e308:1e308
--view text|--view static|--view static|--view nothing|--show tables|--show graph|--show code|--show nothing|--show
-o r|--out r|-o 3|-o <b>|-o|-q|-q|--quiet|-qq|-x|--|---|-|--help|-h|--digits 3|--style compact|--style elementary
--style none|--seed x|--seed q|--seed|--expect x=2*x|--expect x|--expect x=(|--expect q=1|--expect "x=1/0"
--expect x=undefined|"|'|\|#|;|\x00|\t|🙂|x=1 x=2|--OF y|—of y|--of "y|'--of y'
--order 2|--order 7|--order -1|--order x|--along x|--along w[1]|--along <b>
"""
# fmt: on
VALUES, NAMES = _VALUES.split(), [*_NAMES.split(), chr(0xD83D)]
OPTIONS = _OPTIONS.strip().replace("\n", "|").split("|")
SENSIBLE = ("2.0", "0.0", "-1.5", "1", "1e-9", "1e200", "float('nan')", "float('inf')", "np.array([1.0,-2.0])", "w")
SENSIBLE_OPTIONS = ("--mode forward", "--mode reverse", "--view static", "--view text", "-q", "-o r", "w", "n")
RARE = ("--show curves", "--show cost", "--show equations", "--show check", "--view panel", "--insert")
MAGICS = ("grad",) * 5 + ("tangent", "adjoint") * 2 + ("interleave", "gradcheck", "taylor")
ALPHABET = "xyzw0123456789+-*/=()[]{}<>.,:;#'\"\\@&|^~_ \n\tabcdefπé变🙂\u0301\u200b\u202e\x00\x0b\x7f"
ODD = ("", " ", "\n\n", "#", "(" * 150 + ")" * 150, "-" * 5000 + "x", "x" + "+x" * 3000, "'''", "\\", "\x00", "🙂")


def cell(draw: random.Random) -> tuple[str, str, str]:
    """(magic, line of arguments, source) of a random cell."""
    magic = draw.choice(MAGICS)
    return magic, line(draw), source(draw)


def source(draw: random.Random) -> str:
    """A program, now and then a broken one."""
    kind = draw.random()
    if kind < 0.5:
        text = "\n".join(draw.choice(SMALL).replace("|", "\n") for _ in range(draw.choice((1, 1, 1, 2, 3))))
    elif kind < 0.75:
        text = random_cells.cell(draw.randrange(10**6), draw.random() < 0.5, draw.randint(1, 4))
    elif kind < 0.92:
        text = "y = " + Program(draw.randrange(10**6)).expression(["x", "x", "n"], 3)
        text = re.sub(r"(max\([^()]*\))\[[01]\]", r"\1", text.replace("soft(", "abs(").replace("both(", "max("))
    else:
        text = draw.choice((*ODD, chr(0xD800)))
    if draw.random() < 0.15:
        text = broken(draw, text)
    safe = (re.sub(r"^(\s*)[!%?]+", r"\1", part).replace("?", "") for part in text.split("\n"))
    return "\n".join(part.replace("!", "") if "!=" not in part else part for part in safe)


def broken(draw: random.Random, text: str) -> str:
    """The text with some of its characters gone, exchanged or made up. One with a loop stays: it might not end."""
    if "while" in text or "**" in text:
        return text
    for _ in range(draw.randint(1, 4)):
        k = draw.randrange(len(text) + 1)
        what = draw.random()
        if what < 0.3:
            text = text[:k] + text[k + draw.randint(1, 4) :]
        elif what < 0.7:
            text = text[:k] + "".join(draw.choices(ALPHABET, k=draw.randint(1, 3))) + text[k:]
        elif what < 0.85:
            parts = text.split("\n")
            draw.shuffle(parts)
            text = "\n".join(parts)
        else:
            text = text[:k]
    return text


def line(draw: random.Random) -> str:
    """Arguments: inputs and options as people write them, and as nobody would."""
    if draw.random() < 0.6:
        words = [f"x={draw.choice(SENSIBLE)}", *draw.sample(SENSIBLE_OPTIONS, draw.choice((0, 1, 1, 2)))]
        words += [draw.choice(RARE)] if draw.random() < 0.03 else []
        return " ".join(words)
    words = []
    if draw.random() < 0.75:
        words.append(f"x={draw.choice(VALUES if draw.random() < 0.4 else SENSIBLE)}")
    if draw.random() < 0.25:
        name = draw.choice(NAMES)
        words.append(name if draw.random() < 0.4 else f"{name}={draw.choice(VALUES)}")
    words += draw.sample(OPTIONS, draw.choice((0, 0, 1, 1, 2, 3)))
    if draw.random() < 0.04:
        words.append(draw.choice(RARE))
    if draw.random() < 0.1:
        words.append("".join(draw.choices(ALPHABET.replace("\n", ""), k=draw.randint(1, 8))))
    draw.shuffle(words)
    text = draw.choice((" ", " ", "  ", "\t")).join(words)
    return text.replace("\n", " ").replace("\r", " ")
