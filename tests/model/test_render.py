"""Printers of models: symbols, formulas, documents, graphs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.model import Model, Parameter, ParameterTable, Part, assemble
from betapod.model.algebra.expression import binary, const, evaluate, exp, mul, powi, select, symbol
from betapod.model.assembly.linking import Definition, link
from betapod.model.assembly.model import Event
from betapod.model.language.equations import parse
from betapod.model.language.syntax import Position, SourceText, Syntax
from betapod.model.printing.document_layout import paragraphs, sheet_of
from betapod.model.printing.formula_notation import split_symbol, syntax_of, text_of
from betapod.model.printing.html import MathmlPrinter
from betapod.model.printing.latex import LatexPrinter, escape, symbol_latex, unit_latex
from betapod.model.printing.render import FORMATS, render

EQUATIONS = """
pi(c)  = a_1*c + a_2*c^2                                                       [mmHg]  oncotic pressure
FF solves FF*Q = K_f*(P_GC - P_B - pi(C_A)/(1 - FF))/mL_per_L from FF_start in 5 steps  [1]  filtration fraction
P_GC   = MAP - Q*R_A                                                           [mmHg]  glomerular capillary pressure
drive  = hill(P_GC, P_half, m)*exp(-tau_R/tau_0)                               [1]     pressure drive
dln_renin/dt = (-k_md*drive - ln_renin)/tau_R                                  [1/hour] renin activity
ln_renin(0) = 0                                                                [1]     renin activity, logarithm
"""


def row(key: str, unit: str, value: float = 1.0, **more: object) -> Parameter:
    return Parameter(key, f"{key} as a label", value, unit, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def small() -> Model:
    part = Part.from_text(
        "Filtration",
        EQUATIONS,
        ("Q [L/min]", "MAP"),
        'failure when FF < FF_low and P_GC > 0 then stop "filtration ends"',
        "Filtration along the capillary.\n\nAssumes a mean oncotic pressure & no leak.",
    )
    rows = [
        row("Q", "L/min", role="input", low=0.2, high=2.0),
        row("MAP", "mmHg", 93.0, role="input"),
        row("a_1", "mmHg*dL/g", 1.629, role="literature", source="deen1972", locator="eq. 3", grade="A"),
        row("a_2", "mmHg*dL^2/g^2", 0.2935, role="memory", note="50 % of <readers> | doubt_it"),
        *(row(key, "mmHg") for key in ("P_B", "P_half")),
        *(row(key, "1", 0.2) for key in ("FF_start", "FF_low", "k_md", "m")),
        *(row(key, "hour") for key in ("tau_R", "tau_0")),
        row("K_f", "mL/min/mmHg"),
        row("C_A", "g/dL", 7.0),
        row("R_A", "mmHg*min/L", 33.0),
    ]
    return assemble("small", [part], ParameterTable(rows), "A small kidney.")


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("tau_R", r"\tau_{R}"),
        ("P_GC", r"P_{\mathrm{GC}}"),
        ("GFR", r"\mathrm{GFR}"),
        ("GFR0", r"\mathrm{GFR}_{0}"),
        ("R_A0", r"R_{\mathrm{A0}}"),
        ("k_alpha_TGF", r"k_{\alpha,\mathrm{TGF}}"),
        ("ln_renin", r"\ln \mathrm{renin}"),
        ("lam", r"\lambda"),
        ("x", "x"),
    ],
)
def test_symbols(name: str, latex: str) -> None:
    assert symbol_latex(name) == latex


def test_latex_text_never_breaks_the_compiler() -> None:
    assert escape("50 % of $x_1 & {y} ≥ α²") == r"50 \% of \$x\_1 \& \{y\} $\ge$ $\alpha$$^{2}$"
    assert escape("é ₂ ﬁ 漢") == "é 2 fi ?"


def test_symbol_parts() -> None:
    assert split_symbol("ln_tau_R0").subscripts == ("R0",)
    assert split_symbol("_").base == "_"


@pytest.mark.parametrize(
    ("unit", "latex"),
    [
        ("1", "1"),
        ("mmHg*min/L", r"\mathrm{mmHg\cdot{}min/L}"),
        ("%", r"\mathrm{\%}"),
        ("dL^2/g^2", r"\mathrm{dL^{2}/g^{2}}"),
        ("mL/min/1.73m2", r"\mathrm{mL/min/1.73m^{2}}"),
    ],
)
def test_units(unit: str, latex: str) -> None:
    assert unit_latex(unit) == latex


def formula(text: str) -> Syntax:
    statements, problems = parse(SourceText(f"y = {text} [1]"))
    assert not problems
    return statements[0].expression


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a/(b + c)", r"\frac{a}{b + c}"),
        ("a/b/c", r"\frac{a}{b\,c}"),
        ("(a + b)*c", r"\left(a + b\right)\,c"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a*(1 - b)", r"a \cdot \left(1 - b\right)"),
        ("(a/b)^2", r"{\left(\frac{a}{b}\right)}^{2}"),
        ("-a*b", r"-a\,b"),
        ("a - (-b)", r"a - \left(-b\right)"),
        ("exp(-a)", "e^{-a}"),
        ("exp(a)^2", r"{\left(e^{a}\right)}^{2}"),
        ("sqrt(a + b)", r"\sqrt{a + b}"),
        ("log(a)", r"\ln\left(a\right)"),
        ("a*min_per_day", r"a \cdot 1440\,\tfrac{\mathrm{min}}{\mathrm{day}}"),
    ],
)
def test_formulas(text: str, latex: str) -> None:
    assert LatexPrinter().expression(formula(text)) == latex


def test_a_conversion_that_the_model_defines_itself_stays_a_name() -> None:
    assert (
        LatexPrinter({"min_per_day": "own"}).expression(formula("min_per_day"))
        == r"\mathrm{min}_{\mathrm{per},\mathrm{day}}"
    )


NOWHERE = Position(0, 0)


def _bare(node: Syntax) -> Syntax:
    return Syntax(node.kind, NOWHERE, node.text, tuple(_bare(arg) for arg in node.args))


names = st.sampled_from(["a", "b", "x_1", "tau_R"]).map(lambda name: Syntax("name", NOWHERE, name))
numbers = st.sampled_from(["0", "1", "2"]).map(lambda text: Syntax("number", NOWHERE, text))
integers = st.integers(0, 12).map(lambda n: Syntax("integer", NOWHERE, str(n)))


def _grow(inner: st.SearchStrategy[Syntax]) -> st.SearchStrategy[Syntax]:
    binary = st.builds(
        lambda kind, a, b: Syntax(kind, NOWHERE, args=(a, b)), st.sampled_from(["+", "-", "*", "/"]), inner, inner
    )
    negation = st.builds(lambda a: Syntax("neg", NOWHERE, args=(a,)), inner)
    signed = st.builds(lambda a: Syntax("neg", NOWHERE, args=(a,)), integers)
    powers = st.builds(lambda a, b: Syntax("^", NOWHERE, args=(a, b)), inner, integers | signed | inner)
    calls = st.builds(lambda a: Syntax("call", NOWHERE, "exp", (a,)), inner)
    return binary | negation | powers | calls


@settings(max_examples=300, deadline=None)
@given(st.recursive(names | numbers, _grow, max_leaves=12))
def test_the_language_printer_is_read_back(node: Syntax) -> None:
    assert _bare(formula(text_of(node))) == node


@settings(max_examples=150, deadline=None)
@given(st.recursive(names | numbers, _grow, max_leaves=12))
def test_every_formula_is_well_formed(node: Syntax) -> None:
    ElementTree.fromstring(f"<math>{MathmlPrinter().expression(node)}</math>")
    latex = LatexPrinter().expression(node)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")


def test_a_graph_is_written_without_blowing_up() -> None:
    x = symbol("x")
    node = exp(x)
    for _ in range(40):  # as a tree this has 2^40 nodes
        node = mul(node, node) + const(1.0)
    written, auxiliaries = syntax_of(node)
    assert len(auxiliaries) < 100
    assert len(text_of(written)) + sum(len(text_of(part)) for _, part in auxiliaries) < 5000


def test_a_graph_means_what_it_says() -> None:
    x = symbol("x")
    node = select(x, powi(x, -2), select(x - 1.0, exp(x), const(-1.5e-7)))
    written, auxiliaries = syntax_of(node)
    assert not auxiliaries
    assert text_of(written) == "piecewise(x^-2 if x, exp(x) if x - 1, otherwise -1.5e-07)"
    assert r"-1.5 \cdot 10^{-7}" in LatexPrinter().expression(written)
    assert evaluate([node], {"x": 2.0}) == [0.25]


@pytest.mark.parametrize("form", [form for form in FORMATS if not form.startswith(("dot", "mermaid"))])
def test_every_document_holds_everything(small: Model, form: str) -> None:
    text = render(small, form)
    for label in ("filtration fraction", "glomerular capillary pressure", "pressure drive", "filtration ends", "eq. 3"):
        assert label in text
    for number in ("1.629", "0.2935", "93"):
        assert number in text
    assert "Filtration along the capillary." in text


def test_html_is_well_formed_and_offline(small: Model) -> None:
    text = render(small, "html")
    body = text.removeprefix("<!doctype html>\n").replace('<meta charset="utf-8">', "")
    body = body.replace('<meta name="viewport" content="width=device-width, initial-scale=1">', "")
    root = ElementTree.fromstring(body)
    anchors = {element.get("id") for element in root.iter() if element.get("id")}
    links = [element.get("href", "") for element in root.iter("a")]
    assert links
    assert all(link.startswith("#") and link[1:] in anchors for link in links)
    assert text.count("<script") == text.count("<script>//<![CDATA[") == 1 and "http" not in text
    assert "&lt;readers&gt;" in text


def test_functions_are_explained(small: Model) -> None:
    sheet = sheet_of(small)
    assert [line.name for line in sheet.functions] == ["hill"]
    assert r"\frac{{x}^{m}}{{x}^{m} + {h}^{m}}" in render(small, "md")


def test_states_have_numbers_and_rates_their_own_unit(small: Model) -> None:
    text = render(small, "md")
    assert "| `ln_renin` | renin activity, logarithm | 1 | 0 | Filtration |" in text
    assert r"\frac{d \left(\ln \mathrm{renin}\right)}{dt}" in text
    assert r"[\mathrm{1/hour}]" in text


def test_one_submodel_alone(small: Model) -> None:
    text = render(small, "text", submodel="filtration")
    assert text.startswith("# small: Filtration")
    with pytest.raises(ConfigError, match="Did you mean 'Filtration'"):
        render(small, "text", submodel="Filtraton")


def test_unknown_format(small: Model) -> None:
    with pytest.raises(ConfigError, match="latex"):
        render(small, "latx")


def test_json_is_strict(small: Model) -> None:
    found = json.loads(render(small, "json"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["schema_version"] == 1
    texts = [line["text"] for line in found["submodels"][0]["statements"]]
    assert "P_GC = MAP - Q*R_A" in texts
    assert found["submodels"][0]["events"][0]["text"] == "failure when FF < FF_low and P_GC > 0 then stop"


def test_a_model_without_text_is_rendered_from_its_graph() -> None:
    x, k = symbol("x"), symbol("k")
    model = link("bare", [Definition("flux", mul(k, x), "mol/day", "flux")], [Definition("x", -symbol("flux"), "mol")],
                 {"x": const(2.0)}, parameters=ParameterTable([row("k", "1/day", 0.5)]))  # fmt: skip
    text = render(model, "text")
    assert "dx/dt = -flux  [mol/day]" in text
    assert "flux = k*x  [mol/day]" in text
    assert "x(0) = 2  [mol]" in text
    assert "| `k` | k as a label | 0.5 | 1/day |" in text


@pytest.mark.parametrize("form", ["dot", "dot-names"])
def test_graphviz_accepts_the_graph(small: Model, form: str, tmp_path: Path) -> None:
    text = render(small, form)
    assert '"inputs" -> "Filtration" [label="Q, MAP"]' in text or '"Q" -> "P_GC"' in text
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
    assert "<svg" in drawn.stdout


def test_mermaid_names(small: Model) -> None:
    text = render(small, "mermaid-names")
    assert text.startswith("flowchart LR\n")
    assert "n_P_GC --> n_drive" in text
    assert "n_drive --> n_ln_renin" in text


def test_latex_compiles(small: Model, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "model.tex").write_text(render(small, "latex"), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "model.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_docstrings_become_paragraphs() -> None:
    text = """Renin and
    angiotensin.

    Purpose
        Gives signals,
        many of them.
    Provenance
        Books.

    End.
    """
    assert paragraphs(text) == (
        "Renin and angiotensin.",
        "Purpose: Gives signals, many of them.",
        "Provenance: Books.",
        "End.",
    )
    assert paragraphs("") == ()


def test_imported_events_show_delay_priority_and_scale() -> None:
    x = symbol("x")
    event = Event(
        "e",
        "x",
        binary("gt", x, const(1.0)),
        (("x", const(2.0)),),
        False,
        symbol("d"),
        const(3.0),
        factors=(("x", symbol("v")),),
    )
    rows = [row("d", "day"), row("v", "L")]
    model = link("m", [], [Definition("x", -x, "mol")], {"x": const(2.0)}, [event], ParameterTable(rows))
    assert "e when x > 1 then x = 2*v  # delay d  # priority 3" in render(model, "text")
    assert r"x \leftarrow 2\,v" in render(model, "latex") and r"after the delay } d" in render(model, "latex")
    ElementTree.fromstring(
        render(model, "html").partition("<main>")[2].partition("</main>")[0].join(("<main>", "</main>"))
    )
