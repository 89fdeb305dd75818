r"""Print formulas and whole models as LaTeX: ``tau_R`` becomes ``\tau_{R}``, ``P_GC`` becomes ``P_{\mathrm{GC}}``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..language.syntax import Syntax
from .formula_notation import GREEK, FormulaPrinter, formula_lines, split_symbol

if TYPE_CHECKING:
    from ..parameters.table import Parameter
    from .model_document import EventLine, Line, ModelDocument, ModelSection

_OPERATORS = {
    "neg": "-",
    "not": r"\lnot ",
    "invisible": r"\,",
    "times": r" \cdot ",
    "<": " < ",
    "<=": r" \le ",
    ">": " > ",
    ">=": r" \ge ",
    "==": " = ",
    "!=": r" \ne ",
    "and": r" \;\text{and}\; ",
    "or": r" \;\text{or}\; ",
    "xor": r" \;\text{xor}\; ",
}
_FUNCTIONS = {name: rf"\{name}" for name in ("exp", "tanh", "sin", "cos", "tan", "sinh", "cosh", "min", "max")}
_FUNCTIONS |= {"log": r"\ln", "lambert_w": "W_{0}", "wright_omega": r"\omega"}
_LATIN_GREEK = {"lam": "lambda"}
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
_IN_TEXT = {
    "µ": r"$\mu$",
    "°": r"$^{\circ}$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\to$",
}
_IN_TEXT |= {"–": "--", "—": "---", "“": "``", "”": "''", "’": "'", "∞": r"$\infty$", "²": "$^{2}$", "³": "$^{3}$"}
_IN_TEXT |= {letter: rf"$\{_LATIN_GREEK.get(name, name)}$" for name, letter in GREEK.items()}

_WIDTH = 62
_COMMA = r",\; "


def escape(text: str) -> str:
    """Return plain text for LaTeX; letters that its fonts lack become the nearest that they have."""
    return "".join(_SPECIAL.get(letter) or _IN_TEXT.get(letter) or _known_letter(letter) for letter in text)


def _known_letter(letter: str) -> str:
    if letter < "\u0180":
        return letter
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def symbol_latex(name: str) -> str:
    """Return a name as LaTeX mathematics."""
    parts = split_symbol(name)
    printed = _letters(parts.base)
    if parts.subscripts:
        printed += "_{" + ",".join(_letters(piece) for piece in parts.subscripts) + "}"
    return rf"\ln {printed}" if parts.logarithm else printed


def _letters(text: str) -> str:
    if text in GREEK:
        return "\\" + _LATIN_GREEK.get(text, text)
    return text if len(text) == 1 or text.isdigit() else rf"\mathrm{{{text}}}"


def unit_latex(unit: str) -> str:
    """Return a unit as LaTeX mathematics."""
    if unit in ("1", ""):
        return "1"
    text = re.sub(r"\s*(?:\*\*|\^)\s*\(?(-?\d+(?:/\d+)?)\)?", r"^{\1}", unit)
    text = text.replace("1.73m2", "1.73m^{2}")
    return (
        r"\mathrm{" + text.replace("%", r"\%").replace("*", r"\cdot{}").replace("µ", r"\mu{}").replace(" ", r"\,") + "}"
    )


def number_latex(text: str) -> str:
    """Return a number as LaTeX mathematics."""
    mantissa, exponent, power = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if exponent else mantissa


class LatexPrinter(FormulaPrinter):
    """Prints formulas as LaTeX mathematics."""

    def number(self, text: str) -> str:
        return number_latex(text)

    def symbol(self, name: str) -> str:
        return symbol_latex(name)

    def conversion(self, value: float, unit: str) -> str:
        return rf"{number_latex(f'{value:.10g}')}\,\tfrac{{{unit_latex(unit.split('/')[0])}}}{{{unit_latex(unit.split('/')[1])}}}"

    def operator(self, text: str) -> str:
        return _OPERATORS.get(text, f" {text} ")

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def fenced(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def function(self, name: str, args: Sequence[str]) -> str:
        if name == "sqrt":
            return rf"\sqrt{{{args[0]}}}"
        if name == "cbrt":
            return rf"\sqrt[3]{{{args[0]}}}"
        if name == "abs":
            return rf"\left|{args[0]}\right|"
        if name == "exp" and len(args[0]) < 40 and r"\frac" not in args[0] and r"\left" not in args[0]:
            return f"e^{{{args[0]}}}"
        printed = _FUNCTIONS.get(name) or rf"\operatorname{{{escape(name)}}}"
        if name in GREEK or len(split_symbol(name).base) == 1:
            printed = symbol_latex(name)
        return rf"{printed}\left({_COMMA.join(args)}\right)"

    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        lines = [rf"{value} & \text{{if }} {condition}" for value, condition in branches]
        lines.append(rf"{otherwise} & \text{{otherwise}}")
        return r"\begin{cases}" + r" \\ ".join(lines) + r"\end{cases}"

    def statement(self, line: Line) -> str:
        """Print a whole statement, without its unit; long sums are broken over lines."""
        left = self.left(line)
        if line.kind == "solve":
            assert line.other is not None
            relation = f"{self.expression(line.expression)} = {self.expression(line.other)}"
            return rf"{left}:\quad {relation}"
        lines = formula_lines(line.expression, _WIDTH)
        if len(lines) == 1:
            return f"{left} = {self.expression(line.expression)}"
        printed = [
            "".join(self._signed(sign, term, first and not index) for index, (sign, term) in enumerate(terms))
            for first, terms in ((not number, terms) for number, terms in enumerate(lines))
        ]
        return (
            rf"\begin{{aligned}} {left} &= {printed[0]} \\ "
            + r" \\ ".join(rf"&\quad {text}" for text in printed[1:])
            + r" \end{aligned}"
        )

    def _signed(self, sign: str, term: Syntax, leading: bool) -> str:
        printed = self._inside(term, 5) if leading else self._right(term, 6)
        return printed if not sign else f" {sign} {printed}"

    def left(self, line: Line) -> str:
        """Print the left-hand side of a statement."""
        if line.kind == "rate":
            parts = split_symbol(line.name)
            inner = symbol_latex(line.name)
            return rf"\frac{{d \left({inner}\right)}}{{dt}}" if parts.logarithm else rf"\frac{{d {inner}}}{{dt}}"
        if line.kind == "initial":
            return rf"{self.symbol(line.name)}\big|_{{t=0}}"
        if line.kind == "function":
            return self.function(line.name, [self.symbol(name) for name in line.arguments])
        return self.symbol(line.name)


_PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
\usepackage{amsmath,amssymb}
\usepackage{graphicx}
\usepackage{longtable}
\usepackage{array}
\usepackage[margin=20mm]{geometry}
\usepackage[hidelinks]{hyperref}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\newsavebox{\formulabox}
% A formula that is wider than the line is scaled down to it.
\newcommand{\formula}[1]{\savebox{\formulabox}{$\displaystyle #1$}%
  \par\smallskip\hspace*{1em}\ifdim\wd\formulabox>0.96\linewidth\resizebox{0.96\linewidth}{!}{\usebox{\formulabox}}%
  \else\usebox{\formulabox}\fi\par\smallskip}
\newcolumntype{L}[1]{>{\raggedright\arraybackslash}p{#1}}
"""


def latex_document(sheet: ModelDocument) -> str:
    """Return a model as a LaTeX document that compiles on its own."""
    printer = LatexPrinter(sheet.names)
    out = [_PREAMBLE, rf"\title{{{escape(sheet.title)}}}", r"\date{}", r"\begin{document}", r"\maketitle"]
    out += [escape(paragraph) + "\n" for paragraph in sheet.introduction]
    if sheet.states:
        out.append(r"\section{States}")
        rows = [
            [f"${symbol_latex(s.name)}$", escape(s.label), f"${unit_latex(s.unit)}$", s.initial, escape(s.owner)]
            for s in sheet.states
        ]
        out.append(_table(["state", "meaning", "unit", "at start", "submodel"], rows, [0.11, 0.38, 0.13, 0.11, 0.13]))
    for section in sheet.sections:
        out.extend(_section(section, printer))
    if sheet.inputs:
        out += [r"\section{Inputs}", _parameters(sheet.inputs)]
    if sheet.functions:
        out.append(r"\section{Functions}")
        out += [_statement(line, printer) for line in sheet.functions]
    if sheet.references:
        out += [r"\section{References}", r"\begin{description}"]
        out += [rf"\item[{escape(key)}] {escape(text)}" for key, text, _ in sheet.references]
        out.append(r"\end{description}")
    out.append(r"\end{document}")
    return "\n".join(out) + "\n"


def _section(section: ModelSection, printer: LatexPrinter) -> list[str]:
    out = [rf"\section{{{escape(section.title)}}}"]
    out += [escape(paragraph) + "\n" for paragraph in section.paragraphs]
    if section.reads:
        reads = ", ".join(rf"${symbol_latex(read.name)}$ ({escape(read.owner)})" for read in section.reads)
        out.append(rf"\textit{{Reads:}} {reads}" + "\n")
    out += [_statement(line, printer) for line in section.lines]
    out += [_event(event, printer) for event in section.events]
    if section.parameters:
        out.append(_parameters(section.parameters))
    return out


def _statement(line: Line, printer: LatexPrinter) -> str:
    label = escape(line.label) or rf"${symbol_latex(line.name)}$"
    extra = ""
    if line.kind == "initial":
        label = f"{label}, initial value"
    if line.start is not None:
        start = printer.expression(line.start)
        extra = rf" (solved by {line.steps} Newton steps from ${start}$)"
    formula = rf"{printer.statement(line)} \qquad \left[{unit_latex(line.unit)}\right]"
    out = rf"{label}{extra}" + "\n" + rf"\formula{{{formula}}}" + "\n"
    for name, syntax in line.where:
        out += rf"\formula{{\text{{where}}\quad {symbol_latex(name)} = {printer.expression(syntax)}}}" + "\n"
    return out


def _event(event: EventLine, printer: LatexPrinter) -> str:
    changes = [rf"{symbol_latex(name)} \leftarrow {printer.expression(value)}" for name, value in event.assignments]
    if event.terminal:
        changes.append(r"\text{the simulation ends}")
    if event.delay is not None:
        changes.append(rf"\text{{after the delay }} {printer.expression(event.delay)}")
    if event.priority is not None:
        changes.append(rf"\text{{with the priority }} {printer.expression(event.priority)}")
    return (
        rf"\textbf{{Event {escape(event.name)}}} {escape(event.label)}"
        + "\n"
        + rf"\formula{{\text{{when }} {printer.expression(event.trigger)} \text{{ then }} {_COMMA.join(changes)}}}"
        + "\n"
    )


def _parameters(rows: Sequence[Parameter]) -> str:
    from .model_document import number_text, range_text

    cells = [
        [
            f"${symbol_latex(row.id)}$",
            escape(row.label),
            number_text(row.value),
            f"${unit_latex(row.unit)}$",
            escape(range_text(row)),
            escape(" ".join(filter(None, (f"{row.role} ({row.grade})", row.source, row.locator)))),
        ]
        for row in rows
    ]
    header = ["parameter", "meaning", "value", "unit", "range", "role (grade), source"]
    return _table(header, cells, [0.11, 0.25, 0.09, 0.13, 0.11, 0.17])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> str:
    columns = "".join(rf"L{{{width}\linewidth}}" for width in widths)
    lines = [r"{\footnotesize", rf"\begin{{longtable}}{{{columns}}}", r"\hline"]
    lines.append(" & ".join(rf"\textbf{{{cell}}}" for cell in header) + r" \\ \hline \endhead")
    lines += [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\hline", r"\end{longtable}", "}"])
