"""The quiz: what is right, what is said of wrong answers, the exercises, the sheet, the boxes."""

from __future__ import annotations

import contextlib
import html.parser
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances

from ad_magic import exercise
from ad_magic.panel import registry
from ad_magic.report.answers import NoAnswer, evaluate
from ad_magic.report.quiz import Quiz, Score

LECTURE = "z = (x + 2*y)**2 * math.sin(x*y)"


@pytest.fixture
def loaded(loaded):
    loaded.run_cell("import math\nimport numpy as np", silent=True)
    return loaded


def say(shell, cell, capsys):
    capsys.readouterr()
    shell.run_cell(cell)
    out, err = capsys.readouterr()
    return re.sub(r"\x1b\[[0-9;]*m", "", out + err)


# ---- what a text stands for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64*3", 192),
        ("v5*cos(v4)", 64 * math.cos(6)),
        ("2^3", 8),
        ("−2 · 3 ÷ 4", -1.5),
        ("v4²", 36),
        ("-(1 + 2)*.5", -1.5),
        ("1e-3", 0.001),
        ("math.exp(0) + ln(e) + np.sin(pi/2)", 3),
        ("sqrt(v5)/hypot(3, 4)", 1.6),
    ],
)
def test_arithmetic(text, value):
    assert evaluate(text, {"v4": 6.0, "v5": 64.0}) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "type a number"),
        ("3,5", "write a point"),
        ("2x", r"write \* between"),
        ("2(3 + 1)", r"write \* between"),
        ("(1+2)(3+4)", r"no function|write \*|arithmetic"),
        ("x +", "no number and no expression"),
        ("v9", "there is no v9"),
        ("foo(1)", "there is no function foo"),
        ("factorial(5)", "there is no function factorial"),
        ("sin(1, 2)", "sin does not take 2 numbers"),
        ("1/0", "cannot be computed"),
        ("sqrt(-1)", "cannot be computed"),
        ("(-1)**0.5", "complex"),
        ("9**9**9**9", "cannot be computed"),
        ("__import__('os')", "there is no function __import__"),
        ("().__class__", "arithmetic"),
        ("().__class__()", r"write \* between"),
        ("[x for x in [1]]", "arithmetic"),
        ("lambda: 1", "arithmetic"),
        ("'a'*3", "arithmetic"),
        ("True", "arithmetic"),
        ("sin(v=1)", "arithmetic"),
        ("(" * 250, "no number"),
        ("1+" * 200 + "1", "at most 300"),
    ],
)
def test_what_is_no_answer(text, said):
    with pytest.raises(NoAnswer, match=said):
        evaluate(text, {})


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_one_sentence(text):
    value: object = 0.0
    with contextlib.suppress(NoAnswer):
        value = evaluate(text, {"x": 2.0})
    assert isinstance(value, float) or hasattr(value, "shape")


# ---- right and wrong -----------------------------------------------------------------------------------


@pytest.fixture
def quiz(run):
    return run("x=2 y=3", LECTURE).quiz


SIN, COS = math.sin(6), math.cos(6)
RIGHT = {"v8": "1", "v7": "64", "v6": "64*cos(v6)", "v5": "v8_bar*v7", "v4": "v̄5*2*v4", "v3": "bar4",
         "v2": "2*v3_bar + x*v6_bar", "v1": "λ4 + y*λ6"}  # fmt: skip


def test_the_lecture_from_the_output_back(quiz):
    assert quiz.asked == list(range(8)) and quiz.score == Score(0, 8)
    for row, text in RIGHT.items():
        mark = quiz.answer(row, text)
        assert mark.right and mark.hint == "", (row, mark)
    assert quiz.score == (8, 8) and str(quiz.score) == "8 of 8"
    quiz.forget()
    assert quiz.score.right == 0 and not quiz.tries


@pytest.mark.parametrize(
    ("row", "text", "said"),
    [
        ("v6", "-64*cos(6)", "the sign is wrong"),
        ("v6", "cos(6)", "the local partial ∂v7/∂v6 alone: multiply it by v̄7"),
        ("v6", "64", "that is v̄7 as it is: multiply it by ∂v7/∂v6"),
        ("v6", "64/cos(6)", "multiply v̄7 by ∂v7/∂v6, do not divide"),
        ("v2", "3*0 + 2*64*cos(6)", "a term is missing: v̄3·∂v3/∂v2"),
        ("v2", "2*16*sin(6)", "a term is missing: v̄6·∂v6/∂v2"),
        ("v2", "2*16*sin(6) - 2*64*cos(6)", "the term v̄6·∂v6/∂v2 has the wrong sign"),
        ("v2", "2 + 2", "these are the local partials alone"),
        ("v4", "sin(6)*8", "a factor of 2 is missing"),
        ("v4", "8", "that is the value of v4"),
        ("v7", "2.88051", "that is the tangent ∂v7/∂x"),
        ("v7", "61.4509", "that is v̄6, of another row"),
        ("v2", "17.5", "not yet: v̄2 = v̄3·∂v3/∂v2 + v̄6·∂v6/∂v2"),
        ("v6", "61", "right as far as it goes: give 3 digits"),
        ("v6", "v̄6", "v̄6 is what is asked for"),
        ("v6", "v̄7*cos(v6)", "v̄7 is not known yet: answer it first"),
        ("v6", "w", "there is no w; rows are v1, v2, …"),
        ("v6", "[1, 2]", "v̄6 is a number"),
    ],
)
def test_hints(quiz, row, text, said):
    mark = quiz.answer(row, text)
    assert not mark.right and said in mark.hint
    assert quiz.score.right == 0


@pytest.mark.parametrize("text", ["61.45", "61.5", "61.4509", "61.450913", "6.145e1"])
def test_a_rounded_number_is_right(quiz, text):
    assert quiz.answer("v6", text).right


@pytest.mark.parametrize("text", ["61.46", "61.4", "61.46*1", "61.4509*1.0001"])
def test_a_number_that_is_rounded_wrong_is_not(quiz, text):
    assert not quiz.answer("v6", text).right


def test_a_try_is_counted_a_mistyped_one_is_not(quiz):
    quiz.answer("v6", "64")
    quiz.answer("v6", "64 +")
    assert quiz.tries == {5: 1}


def test_rows_by_their_names(quiz):
    assert quiz.answer("z", "1") and quiz.answer(7, "1") and quiz.answer("v̄8", "1")
    with pytest.raises(ValueError, match="'q' is not asked for; asked for are v1, v2"):
        quiz.answer("q", "1")


def test_three_uses(run):
    """v̄ has three terms: one or two of them may be missing."""
    quiz = run("x=3.0", "a = x*2\nb = x*x\nc = math.sin(x)\nz = a + b + c").quiz
    a, b, c = 2, 6, math.cos(3)
    for text, said in (
        (f"{a}+{b}", "a term is missing: v̄4·∂v4/∂v1"),
        (f"{b}", "terms are missing: v̄2·∂v2/∂v1 and v̄4·∂v4/∂v1"),
        (f"{a}+{b}-cos(3)", "the term v̄4·∂v4/∂v1 has the wrong sign"),
    ):
        assert said in quiz.answer("v1", text).hint
    assert quiz.answer("v1", f"{a}+{b}+{c!r}").right


@pytest.mark.parametrize("mode", ["forward", "both"])
def test_tangents(run, mode):
    r = run(f"x=2 y=3 --mode {mode}", LECTURE)
    quiz = Quiz(r, "tangent:x")
    assert quiz.asked == [2, 3, 4, 5, 6, 7]  # those of the inputs are given
    assert (r.quiz.kind, r.quiz.seed) == (("tangent", "x") if mode == "forward" else ("adjoint", ""))
    assert quiz.answer("v3", "0").right and quiz.answer("v4", "dv1 + dv3").right
    assert "that is the tangent along another seed, ∂v6/∂y" in quiz.answer("v6", "2").hint
    assert quiz.answer("v6", "y*v̇1").right and quiz.answer("v7", "cos(v6)*v6_dot").right
    assert quiz.answer("v5", "2*v4*v4_dot").right
    assert "a term is missing: v̇7·∂v8/∂v7" in quiz.answer("v8", "v7*dv5").hint
    assert quiz.answer("v8", "v7*dv5 + v5*dv7").right
    assert quiz.score == (6, 6)


def test_names_that_look_like_ours(run):
    """The user's v3 is the fourth row: either meaning is right."""
    for text in ("2*v4", "2*v3"):
        assert run("x=2 y=3", "v3 = x + 2*y\nz = v3**2").quiz.answer("v4", text).right
    assert "v₄" in run("x=2 y=3", "v3 = x + 2*y\nz = v3**2").quiz.to_text()


def test_arrays(run):
    quiz = run("x", "y = x*x\nz = np.sum(y)", x=np.array([1.0, 2.0, 3.0])).quiz
    assert quiz.answer("v2", "[1, 1, 1]").right
    assert "of shape (3,)" in quiz.answer("v1", "6").hint
    assert quiz.answer("v1", "2*v1").right and quiz.answer("v1", "[2, 4, 6]").right
    assert "the sign is wrong" in quiz.answer("v1", "-2*v1").hint


def test_writing_in_place(run):
    quiz = run("x=2.0", "b = np.zeros(2)\nb[0] = x*x\nz = b[0] * x").quiz
    assert quiz.answer("v1", "3*x**2").right
    assert "not yet: v̄2 is the sum over all that v2 goes into" in quiz.answer("v2", "17.25").hint


def test_a_long_program_asks_for_some(run):
    quiz = run("x=2.0", "z = x\nfor i in range(100): z = z*0.99 + 1").quiz
    assert len(quiz.asked) == 12 and quiz.asked[0] == 0 and quiz.asked[-1] == 200
    assert quiz.answer("v201", "1").right and quiz.answer("v199", "0.99").right
    assert quiz.to_text().count("……………") == 12


@pytest.mark.parametrize("line", ["x=2 y=3 --of a,b --mode reverse", "x=2 y=3 --of c --mode reverse"])
def test_what_cannot_be_asked(run, line):
    with pytest.raises(ValueError, match="one output that is a number, or forward mode"):
        _ = run(line, "a = x*y\nb = x + y\nc = [a, b]").quiz
    with pytest.raises(ValueError, match="there is adjoint, tangent:x"):
        Quiz(run("x=2", "z = x*x"), "tangent:q")


def test_an_infinite_adjoint_is_not_asked_for(run):
    quiz = run("x=0.0", "z = math.sqrt(x)").quiz
    assert quiz.asked == [1]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_way_to_an_answer_is_an_answer(level, mode):
    """What `solution` says, evaluated, is right; and the number that it ends with is, too."""
    quiz = exercise(level, seed=4).quiz(mode)
    for row in quiz.asked:
        *_, numbers, last = quiz.solution(row).split(" = ")
        assert quiz.answer(row, last).right
        if "∂" not in numbers and "v" not in numbers:
            assert evaluate(numbers, {}) == pytest.approx(quiz.truth(row), rel=1e-4)
    assert quiz.score.right == quiz.score.asked


# ---- exercises -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(6))
def test_exercises(level, seed):
    found = exercise(level, seed)
    assert found == exercise(level, seed)
    r = found.result()
    h = 1e-6
    for name, value in found.inputs.items():  # the derivative by differences of the program run as it is

        def z(moved, name=name):
            namespace = {"math": math, **found.inputs, name: moved}
            exec(found.source, namespace)
            return namespace["z"]

        assert r.grad[name] == pytest.approx((z(value + h) - z(value - h)) / (2 * h), rel=1e-5)
    uses = [sum(row.parents.count(k) for row in r.rows) for k in range(len(r.rows))]
    if level <= 2:
        assert max(uses) == 1
    if level >= 3:
        assert max(uses) >= 2
    assert len(found.inputs) == {1: 1, 2: 2, 3: 2, 4: 3, 5: 2}[level]


def test_they_get_longer():
    lengths = [np.mean([len(exercise(level, seed).result().rows) for seed in range(8)]) for level in (1, 2, 3, 4)]
    assert lengths == sorted(lengths) and lengths[-1] > lengths[0] + 3
    assert exercise(2).cell.startswith("%%adjoint x=") and len({exercise(2).source for _ in range(8)}) > 1


def test_an_exercise_is_a_cell(loaded):
    loaded.run_cell(exercise(4, 3).cell.replace("--quiz", "-q -o r")).raise_error()
    assert loaded.user_ns["r"].grad == exercise(4, 3).result("reverse").grad


@pytest.mark.parametrize("level", [0, 6, "2"])
def test_a_level_that_there_is_not(level):
    with pytest.raises(ValueError, match="levels are 1 to 5"):
        exercise(level)


# ---- in a cell -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("magic", "asked"), [("grad", "v̄ = ∂z/∂v"), ("adjoint", "v̄ = ∂z/∂v"), ("tangent", "∂v/∂x")])
def test_quiz_in_a_terminal(loaded, capsys, magic, asked):
    text = say(loaded, f"%%{magic} x=2 y=3 --quiz -o r\n{LECTURE}", capsys)
    assert asked in text and "……………" in text and "r.quiz.answer" in text
    assert "179.88" not in text and "113.96" not in text and "∂z/∂x =" not in text, "it tells the answer"
    loaded.run_cell("r.quiz.answer('z', '1')", silent=True)
    assert loaded.user_ns["r"].quiz.score.right == (magic != "tangent")


def test_an_exercise_in_a_terminal(loaded, capsys):
    loaded.user_ns["a"] = "mine"
    text = say(loaded, "%adjoint --exercise 2:7 -o r", capsys)
    assert text.count("……………") == len(loaded.user_ns["r"].quiz.asked)
    assert loaded.user_ns["a"] == "mine", "an exercise runs in a namespace of its own"
    assert loaded.user_ns["_"] is loaded.user_ns["r"]
    assert say(loaded, "%tangent --exercise 3 -q", capsys) == ""


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%adjoint --exercise 9", "levels are 1 to 5"),
        ("%adjoint --exercise 2:x", "write LEVEL or LEVEL:SEED"),
        ("%%adjoint --exercise 2\nz = 1", "an exercise brings its own program"),
        ("%%gradcheck x=2 --quiz\nz = x", "unknown option '--quiz'"),
        ("%%adjoint x=2 --of a,b --quiz\na = x\nb = x*x", "%%adjoint --quiz: there is no column"),
    ],
)
def test_mistakes(loaded, capsys, cell, said):
    text = say(loaded, cell, capsys)
    assert "UsageError" in text and said in text and text.count("\n") == 1


# ---- the sheet -------------------------------------------------------------------------------------------


class Tags(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_a_page_to_print(run, tmp_path):
    r = run("x=2 y=3", LECTURE)
    r.save(tmp_path / "sheet.html", quiz=True)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    tags = Tags(page)
    assert not [t for t, a in tags.found if t in ("script", "img", "link") or "src" in a]
    first, second = page.split('<section class="ad-sheet-page ad-sheet-answers">')
    assert first.count('class="ad-fill"') == 8 and 'class="ad-fill"' not in second
    for number in ("179.882", "113.961", "61.4509"):
        assert number not in Tags(first).text and number in Tags(second).text
    assert "break-before:page" in page.replace(" ", "")
    assert LECTURE in tags.text and "x = 2, y = 3" in tags.text
    assert second.count("<li>") == 8 and "λ" not in second


def test_the_sheet_in_a_notebook_does_not_tell(run):
    r = run("x=2 y=3", LECTURE)
    for face in (repr(r.quiz), r.quiz._repr_html_()):
        assert "179.882" not in face and "61.4509" not in face and "0.96017" not in face
    assert r.quiz._repr_html_().count('class="ad-fill"') == 8


def test_text_of_the_user_is_no_markup(run, tmp_path):
    cell = "d = {'<img src=x onerror=alert(1)>': x}  # <b>\nz = d['<img src=x onerror=alert(1)>'] * 2"
    r = run("x=2", cell)
    r.save(tmp_path / "sheet.html", quiz=True)
    for page in (r.quiz.to_html(), (tmp_path / "sheet.html").read_text(encoding="utf-8")):
        assert not [t for t, _ in Tags(page).found if t in ("img", "b")]
    quiz = r.quiz
    assert "<img" in quiz.answer("v1", "<img src=x>").hint or quiz.answer("v1", "<img src=x>").hint


# ---- the boxes -------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_left():
    before = set(_instances)
    yield
    registry.close_all()
    assert set(_instances) == before


def test_the_boxes(quiz, nothing_left):
    from ad_magic.panel.quiz import QuizPanel

    panel = QuizPanel(quiz)
    assert list(panel.boxes) == [7, 6, 5, 4, 3, 2, 1, 0]
    panel.boxes[7].value = "1"
    assert "✓ right" in panel.said[7].value and "1 of 8 right" in panel.score.value
    panel.boxes[5].value = "cos(6)"
    assert "✗" in panel.said[5].value and "multiply it by v̄<sub>7</sub>" in panel.said[5].value
    panel.boxes[5].value = "<img src=x onerror=alert(1)>"
    assert "<img" not in panel.said[5].value
    panel.boxes[5].value = ""
    assert panel.said[5].value == "" and 5 not in quiz.marks
    panel.solve()
    assert panel.ways.value.count("<p>") == 8 and quiz.score.right == 1
    panel.begin()
    assert panel.boxes[7].value == "" and quiz.score.right == 0 and panel.ways.value == ""
    for row, text in RIGHT.items():
        panel.boxes[quiz.row(row)].value = text
    assert "8 of 8 right — all right" in panel.score.value
    panel.close()


def test_the_boxes_show_what_was_answered_in_python(quiz, nothing_left):
    from ad_magic.panel.quiz import QuizPanel

    quiz.answer("v8", "1")
    panel = QuizPanel(quiz)
    assert "✓ right" in panel.said[7].value and "1 of 8" in panel.score.value
    panel.close()


def test_slack_by_hand(run, nothing_left):
    from ad_magic.panel.slack import SlackPanel

    panel = SlackPanel(run("x=2 y=3", LECTURE))
    panel.row.value = 3  # v4 = 8
    assert "move the slider" in panel.shown.value and "−4.47065" in panel.shown.value
    panel.slider.value = 50
    delta = panel.delta
    assert delta == 2.0
    assert f"{10**2 * math.sin(6):.10g}".replace("-", "−") in panel.shown.value
    panel.row.value = 4
    assert panel.slider.value == 0
    panel.close()


def test_slack_that_changes_the_path_says_so(run, nothing_left):
    from ad_magic.panel.slack import SlackPanel

    panel = SlackPanel(run("x=2.0", "y = x - 1\nz = y*3 if y > 0.8 else y*5"))
    panel.row.value, panel.slider.value = 1, -100
    assert "goes another way with this slack" in panel.shown.value
    panel.close()


def test_quiz_and_slack_in_a_notebook(loaded, monkeypatch, nothing_left):
    """The sheet is an output of its own, which is kept; the boxes are another."""
    from ad_magic import showing
    from ad_magic.panel import beside

    shown = []
    for module in (showing, beside):
        monkeypatch.setattr(module, "display", lambda what, **_: shown.append(what))
    loaded.run_cell(f"%%adjoint x=2 y=3 --quiz --view panel\n{LECTURE}").raise_error()
    assert "text/html" in shown[0] and type(shown[1]).__name__ == "Beside"
    assert shown[1]._repr_mimebundle_()["text/plain"] == ""
    assert registry.count() == 1
