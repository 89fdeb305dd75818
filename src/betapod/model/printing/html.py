"""Formulas as MathML, and model documents as one self-contained HTML page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup, escape

from ..language.syntax import Syntax
from .formula_notation import GREEK, FormulaPrinter, formula_lines, split_symbol
from .graph import submodel_graph
from .model_document import EventLine, Line, ModelDocument, number_text, range_text
from .structure_matrix import structure_matrix

_OPERATORS = {
    "neg": '<mo form="prefix">−</mo>',
    "not": '<mo form="prefix">¬</mo>',
    "invisible": '<mspace width="0.17em"/>',
    "times": "<mo>⋅</mo>",
    "-": "<mo>−</mo>",
    "<": "<mo>&lt;</mo>",
    "<=": "<mo>≤</mo>",
    ">": "<mo>&gt;</mo>",
    ">=": "<mo>≥</mo>",
    "==": "<mo>=</mo>",
    "!=": "<mo>≠</mo>",
    "and": "<mtext>\u00a0and\u00a0</mtext>",
    "or": "<mtext>\u00a0or\u00a0</mtext>",
    "xor": "<mtext>\u00a0xor\u00a0</mtext>",
}
TEMPLATE = Path(__file__).parent / "model_page.html.jinja"
_FUNCTIONS = {"log": "ln", "wright_omega": "ω"}
_WIDTH = 72
#: Formulas with fewer signs fit on the narrowest telephone; the others may have to be scrolled, also by keyboard.
_NARROW = 24


def symbol_mathml(name: str, title: str = "") -> str:
    """Return a name as MathML; `title` shows when the pointer rests on it."""
    parts = split_symbol(name)
    tip = f' title="{escape(title)}"' if title else ""
    printed = _letters(parts.base)
    if parts.subscripts:
        below = "<mo>,</mo>".join(_letters(piece) for piece in parts.subscripts)
        printed = f"<msub{tip}>{printed}<mrow>{below}</mrow></msub>"
    elif tip:
        printed = f"<mrow{tip}>{printed}</mrow>"
    return f"<mrow><mi>ln</mi><mspace width='0.17em'/>{printed}</mrow>" if parts.logarithm else printed


def _letters(text: str) -> str:
    return f"<mn>{text}</mn>" if text.isdigit() else f"<mi>{escape(GREEK.get(text, text))}</mi>"


def unit_html(unit: str) -> Markup:
    """Return a unit for HTML text: ``mmHg·min/L``, exponents raised."""
    # As plain text from here on: the joining of Markup would escape the tags that are put in.
    text = str(escape(unit)).replace("**", "^").replace("*", "·").replace("1.73m2", "1.73m^2")
    return Markup(re.sub(r"\^\(?(-?\d+(?:/\d+)?)\)?", r"<sup>\1</sup>", text))


class MathmlPrinter(FormulaPrinter):
    """Prints formulas as presentation MathML (the Core subset that browsers draw)."""

    def number(self, text: str) -> str:
        mantissa, exponent, power = text.partition("e")
        if not exponent:
            return f"<mn>{mantissa}</mn>"
        return f"<mrow><mn>{mantissa}</mn><mo>⋅</mo><msup><mn>10</mn><mn>{int(power)}</mn></msup></mrow>"

    def symbol(self, name: str) -> str:
        return symbol_mathml(name, self.names.get(name, ""))

    def conversion(self, value: float, unit: str) -> str:
        above, _, below = unit.partition("/")
        fraction = f"<mfrac><mtext>{escape(above)}</mtext><mtext>{escape(below)}</mtext></mfrac>"
        return f'<mrow>{self.number(f"{value:.10g}")}<mspace width="0.17em"/><mstyle scriptlevel="1">{fraction}</mstyle></mrow>'

    def operator(self, text: str) -> str:
        return _OPERATORS.get(text) or f"<mo>{escape(text)}</mo>"

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def fenced(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def function(self, name: str, args: Sequence[str]) -> str:
        if name == "sqrt":
            return f"<msqrt>{args[0]}</msqrt>"
        if name == "cbrt":
            return f"<mroot><mrow>{args[0]}</mrow><mn>3</mn></mroot>"
        if name == "abs":
            return f"<mrow><mo>|</mo>{args[0]}<mo>|</mo></mrow>"
        if name == "exp" and "<mfrac>" not in args[0] and len(re.findall("<m[inot]", args[0])) < 8:
            return f"<msup><mi>e</mi><mrow>{args[0]}</mrow></msup>"
        if name == "lambert_w":
            printed = "<msub><mi>W</mi><mn>0</mn></msub>"
        elif name in GREEK or len(split_symbol(name).base) == 1:
            printed = symbol_mathml(name)
        else:
            printed = f"<mi>{escape(_FUNCTIONS.get(name, name))}</mi>"
        inner = "<mo>,</mo>".join(f"<mrow>{arg}</mrow>" for arg in args)
        return f"<mrow>{printed}<mo>&#x2061;</mo><mrow><mo>(</mo>{inner}<mo>)</mo></mrow></mrow>"

    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        rows = [
            f"<mtr><mtd>{value}</mtd><mtd><mtext>if\u00a0</mtext>{condition}</mtd></mtr>"
            for value, condition in branches
        ]
        rows.append(f"<mtr><mtd>{otherwise}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>")
        return f"<mrow><mo>{{</mo><mtable>{''.join(rows)}</mtable></mrow>"

    def left(self, line: Line) -> str:
        """Print the left-hand side of a statement."""
        if line.kind == "rate":
            inner = self.symbol(line.name)
            if split_symbol(line.name).logarithm:
                inner = self.fenced(inner)
            return f"<mfrac><mrow><mi>d</mi>{inner}</mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac>"
        if line.kind == "initial":
            return f"<mrow>{self.symbol(line.name)}<mo>(</mo><mn>0</mn><mo>)</mo></mrow>"
        if line.kind == "function":
            return self.function(line.name, [symbol_mathml(name) for name in line.arguments])
        return self.symbol(line.name)

    def statement(self, line: Line) -> str:
        """Print a whole statement as one ``math`` element; long sums are broken over lines."""
        left = self.left(line)
        if line.kind == "solve":
            assert line.other is not None
            both = f"{self.expression(line.expression)}<mo>=</mo>{self.expression(line.other)}"
            return _math(f"{left}<mo>:</mo><mspace width='1em'/>{both}")
        lines = formula_lines(line.expression, _WIDTH)
        if len(lines) == 1:
            return _math(f"{left}<mo>=</mo>{self.expression(line.expression)}")
        rows = []
        for number, terms in enumerate(lines):
            inner = "".join(self._signed(sign, term) for sign, term in terms)
            head = f"{left}<mo>=</mo>" if not number else "<mspace width='2em'/>"
            rows.append(
                f"<mtr><mtd>{head if not number else ''}</mtd><mtd>{'' if not number else head}{inner}</mtd></mtr>"
            )
        return _math(f'<mtable class="lines" displaystyle="true">{"".join(rows)}</mtable>')

    def _signed(self, sign: str, term: Syntax) -> str:
        if not sign:
            return self._inside(term, 5)
        mark = "−" if sign == "-" else "+"
        return f'<mo form="infix">{mark}</mo>{self._right(term, 6)}'


def _math(inner: str) -> str:
    return f'<math display="block"><mrow>{inner}</mrow></math>'


def html_document(sheet: ModelDocument) -> str:
    """Return a model as a self-contained HTML page: styles within, MathML formulas, no network, a script for the search alone.

    Names, labels, notes and sources are other people's texts: the template engine escapes them.
    """
    from jinja2 import Environment, StrictUndefined

    printer = MathmlPrinter(sheet.names)
    contents = [("structure", "Structure")] if len(sheet.sections) > 1 else []
    contents += [("states", "States")] if sheet.states else []
    contents += [(_anchor(section.title), section.title) for section in sheet.sections]
    contents += [("inputs", "Inputs")] if sheet.inputs else []
    contents += [("functions", "Functions")] if sheet.functions else []
    contents += [("references", "References")] if sheet.references else []
    linked = {line.name for section in sheet.sections for line in section.lines if line.kind != "function"}
    linked |= {row.id for section in sheet.sections for row in section.parameters} | {row.id for row in sheet.inputs}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "unit": unit_html,
        "number": number_text,
        "range": range_text,
        "anchor": _anchor,
        "label": _label,
        "wide": _wide,
        "keys": lambda row: [key for key in re.split(r"[;\s]+", row.source) if key],
        "used": lambda line, links: [n for n in line.uses() if links and n in sheet.names and n != line.name],
        "statement": lambda line: _statement(line, printer),
        "event": lambda event: _event(event, printer),
    }
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    anchor = {section.title: _anchor(section.title) for section in sheet.sections} | {"inputs": "inputs"}
    structure = structure_matrix(submodel_graph(sheet), anchor)
    return template.render(sheet=sheet, contents=contents, linked=linked, structure=structure)


def _label(line: Line) -> str:
    """Return what stands beside the name of a statement."""
    label = "" if line.label == line.name else line.label
    if line.kind == "initial":
        label += ", initial value"
    return label + (f" (solved by {line.steps} Newton steps)" if line.start is not None else "")


def _wide(printed: str) -> bool:
    """Whether a formula may be too wide for a telephone: it then scrolls sideways, and the keyboard reaches it."""
    return len(re.sub("<[^>]+>", "", printed)) >= _NARROW


def _statement(line: Line, printer: MathmlPrinter) -> Markup:
    formulas = printer.statement(line)
    for name, part in line.where:
        formulas += _math(f"<mtext>where\u00a0</mtext>{symbol_mathml(name)}<mo>=</mo>{printer.expression(part)}")
    return Markup(formulas)  # every name in it was escaped where it was printed


def _event(event: EventLine, printer: MathmlPrinter) -> Markup:
    changes = [f"{printer.symbol(name)}<mo>←</mo>{printer.expression(value)}" for name, value in event.assignments]
    if event.terminal:
        changes.append("<mtext>the\u00a0simulation\u00a0ends</mtext>")
    then = '<mo separator="true">;</mo>'.join(changes)
    formula = _math(
        f"<mtext>when\u00a0</mtext>{printer.expression(event.trigger)}<mtext>\u00a0then\u00a0</mtext>{then}"
    )
    for phrase, node in (("after the delay", event.delay), ("with the priority", event.priority)):
        if node is not None:
            words = phrase.replace(" ", "\u00a0")
            formula += _math(f"<mtext>{words}\u00a0</mtext>{printer.expression(node)}")
    return Markup(formula)


def _anchor(title: str) -> str:
    return "submodel-" + re.sub(r"\W+", "-", title.lower())
