"""Print formulas as MathML and whole models as one HTML page that needs no network."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from .notation import GREEK, FormulaPrinter, lines_of, split_symbol
from .parameters import Parameter
from .sheet import EventLine, Line, Section, Sheet, number_text, range_text
from .syntax import Syntax

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
_FUNCTIONS = {"log": "ln", "wright_omega": "ω"}
_WIDTH = 72
#: Formulas with fewer signs fit on the narrowest telephone; the others may have to be scrolled, also by keyboard.
_NARROW = 24


def symbol_mathml(name: str, title: str = "") -> str:
    """Return a name as MathML; `title` shows when the pointer rests on it."""
    parts = split_symbol(name)
    tip = f' title="{html.escape(title, quote=True)}"' if title else ""
    printed = _letters(parts.base)
    if parts.subscripts:
        below = "<mo>,</mo>".join(_letters(piece) for piece in parts.subscripts)
        printed = f"<msub{tip}>{printed}<mrow>{below}</mrow></msub>"
    elif tip:
        printed = f"<mrow{tip}>{printed}</mrow>"
    return f"<mrow><mi>ln</mi><mspace width='0.17em'/>{printed}</mrow>" if parts.logarithm else printed


def _letters(text: str) -> str:
    return f"<mn>{text}</mn>" if text.isdigit() else f"<mi>{html.escape(GREEK.get(text, text))}</mi>"


def unit_html(unit: str) -> str:
    """Return a unit for HTML text: ``mmHg·min/L``, exponents raised."""
    text = html.escape(unit).replace("**", "^").replace("*", "·").replace("1.73m2", "1.73m^2")
    return re.sub(r"\^\(?(-?\d+(?:/\d+)?)\)?", r"<sup>\1</sup>", text)


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
        fraction = f"<mfrac><mtext>{html.escape(above)}</mtext><mtext>{html.escape(below)}</mtext></mfrac>"
        return f'<mrow>{self.number(f"{value:.10g}")}<mspace width="0.17em"/><mstyle scriptlevel="1">{fraction}</mstyle></mrow>'

    def operator(self, text: str) -> str:
        return _OPERATORS.get(text) or f"<mo>{html.escape(text)}</mo>"

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
            printed = f"<mi>{html.escape(_FUNCTIONS.get(name, name))}</mi>"
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
        lines = lines_of(line.expression, _WIDTH)
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


_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --tint: #f6f8fa; --link: #0a58b0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa4af; --line: #3a424c; --paper: #0f1419; --tint: #171d24; --link: #7ab7ff; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
a { color: var(--link); }
.page { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 1.5rem 1rem; font-size: .9rem; }
nav ol { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .15rem 0; text-decoration: none; }
main { padding: 1.5rem 2rem 4rem; border-left: 1px solid var(--line); min-width: 0; }
h1 { margin: 0 0 .5rem; font-size: 1.8rem; }
h2 { margin: 2.5rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
h3 { margin: 1.5rem 0 .4rem; font-size: 1rem; }
p { max-width: 46rem; margin: .5rem 0; }
.count, .uses, .reads { color: var(--soft); font-size: .88rem; max-width: none; }
.line { margin: .7rem 0; padding: .5rem .8rem; background: var(--tint); border-radius: 6px; }
.line:target { outline: 2px solid var(--link); }
.line .label { display: flex; gap: 1rem; justify-content: space-between; flex-wrap: wrap; }
.line .unit { color: var(--soft); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.formula { overflow-x: auto; overflow-y: hidden; padding: .35rem 0 .35rem .5rem; }
math { font-size: 1.08rem; }
math[display=block] { display: block math; text-align: left; width: max-content; }
mtable.lines mtd { text-align: left; padding: .2em 0; }
mtable mtd { text-align: left; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--paper); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.note { color: var(--soft); min-width: 12rem; }
code { font-size: .88em; }
@media (max-width: 50rem) { .page { display: block; } nav { position: static; max-height: none; } nav ol { columns: 9rem; } main { border: 0; padding: 1rem; } }
@media print { nav { display: none; } .page { display: block; } .line { break-inside: avoid; } }
"""


def document(sheet: Sheet) -> str:
    """Return a model as a self-contained HTML page: styles within, MathML formulas, no script, no network."""
    printer = MathmlPrinter(sheet.names)
    contents = [("states", "States")] if sheet.states else []
    contents += [(_anchor(section.title), section.title) for section in sheet.sections]
    contents += [("inputs", "Inputs")] if sheet.inputs else []
    contents += [("functions", "Functions")] if sheet.functions else []
    contents += [("references", "References")] if sheet.references else []
    links = "".join(f'<li><a href="#{anchor}">{html.escape(title)}</a></li>' for anchor, title in contents)
    linked = {line.name for section in sheet.sections for line in section.lines if line.kind != "function"}
    linked |= {row.id for section in sheet.sections for row in section.parameters} | {row.id for row in sheet.inputs}
    body = [f"<h1>{html.escape(sheet.title)}</h1>"]
    body += [f"<p>{html.escape(paragraph)}</p>" for paragraph in sheet.introduction[:-2]]
    body += [f'<p class="count">{html.escape(paragraph)}</p>' for paragraph in sheet.introduction[-2:]]
    if sheet.states:
        body.append(_states(sheet))
    body += [_section(section, printer, sheet.names, linked) for section in sheet.sections]
    if sheet.inputs:
        body.append('<h2 id="inputs">Inputs</h2><p>Set by a user or a protocol; they may change with time.</p>')
        body.append(_parameters(sheet.inputs, "Inputs"))
    if sheet.functions:
        body.append('<h2 id="functions">Functions</h2>')
        body += [_statement(line, printer, {}, set()) for line in sheet.functions]
    if sheet.references:
        items = "".join(
            f'<li id="ref-{html.escape(key)}"><strong>{html.escape(key)}</strong> {html.escape(text)}{_address(link)}</li>'
            for key, text, link in sheet.references
        )
        body.append(f'<h2 id="references">References</h2><ul>{items}</ul>')
    return page(sheet.title, f'<nav aria-label="Contents"><ol>{links}</ol></nav>', "\n".join(body))


def page(title: str, navigation: str, body: str) -> str:
    """Return a whole HTML page around a body."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<div class="page">{navigation}<main>\n{body}\n</main></div>\n</body>\n</html>\n'
    )


def _address(link: str) -> str:
    return f' <a href="{html.escape(link, quote=True)}">open</a>' if link else ""


def _states(sheet: Sheet) -> str:
    rows = "".join(
        f'<tr><td><a href="#q-{s.name}"><code>{s.name}</code></a></td><td>{html.escape(s.label)}</td>'
        f'<td class="number">{s.initial}</td><td>{unit_html(s.unit)}</td><td>{html.escape(s.owner)}</td></tr>'
        for s in sheet.states
    )
    return (
        f'<h2 id="states">States</h2>{_scrolled("States")}<table><thead><tr><th>state</th><th>meaning</th><th class="number">at start</th>'
        f"<th>unit</th><th>submodel</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _section(section: Section, printer: MathmlPrinter, names: Mapping[str, str], linked: set[str]) -> str:
    out = [f'<section><h2 id="{_anchor(section.title)}">{html.escape(section.title)}</h2>']
    out += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.paragraphs]
    if section.reads:
        reads = ", ".join(_link(read.name, names, linked) + f" ({html.escape(read.owner)})" for read in section.reads)
        out.append(f'<p class="reads">Reads {reads}.</p>')
    out += [_statement(line, printer, names, linked) for line in section.lines]
    out += [_event(event, printer) for event in section.events]
    if section.parameters:
        title = f"Parameters of {section.title}"
        out.append(f"<h3>{html.escape(title)}</h3>")
        out.append(_parameters(section.parameters, title))
    if section.shared:
        shared = ", ".join(f"{_link(name, names, linked)} (see {html.escape(home)})" for name, home in section.shared)
        out.append(f'<p class="reads">Also used: {shared}.</p>')
    out.append("</section>")
    return "\n".join(out)


def _statement(line: Line, printer: MathmlPrinter, names: Mapping[str, str], linked: set[str]) -> str:
    label = "" if line.label == line.name else line.label
    if line.kind == "initial":
        label += ", initial value"
    if line.start is not None:
        label += f" (solved by {line.steps} Newton steps)"
    anchor = f' id="q-{line.name}"' if line.kind in ("assign", "rate", "solve") else ""
    formulas = printer.statement(line)
    for name, part in line.where:
        formulas += _math(f"<mtext>where\u00a0</mtext>{symbol_mathml(name)}<mo>=</mo>{printer.expression(part)}")
    used = ", ".join(_link(name, names, linked) for name in line.uses() if name in names and name != line.name)
    uses = f'<div class="uses">from {used}</div>' if used else ""
    return (
        f'<div class="line"{anchor}><div class="label"><span><code>{line.name}</code> {html.escape(label)}</span>'
        f'<span class="unit">{unit_html(line.unit)}</span></div>{_formula(line.name, formulas)}{uses}</div>'
    )


def _event(event: EventLine, printer: MathmlPrinter) -> str:
    changes = [f"{printer.symbol(name)}<mo>←</mo>{printer.expression(value)}" for name, value in event.assignments]
    if event.terminal:
        changes.append("<mtext>the\u00a0simulation\u00a0ends</mtext>")
    then = '<mo separator="true">;</mo>'.join(changes)
    formula = _math(
        f"<mtext>when\u00a0</mtext>{printer.expression(event.trigger)}<mtext>\u00a0then\u00a0</mtext>{then}"
    )
    for what, node in (("after the delay", event.delay), ("with the priority", event.priority)):
        if node is not None:
            words = what.replace(" ", "\u00a0")
            formula += _math(f"<mtext>{words}\u00a0</mtext>{printer.expression(node)}")
    return (
        f'<div class="line"><div class="label"><span>event <code>{event.name}</code> {html.escape(event.label)}</span></div>'
        f"{_formula(event.name, formula)}</div>"
    )


def _scrolled(title: str) -> str:
    """Return the start of a part that scrolls sideways where it is too wide; the keyboard reaches it."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{html.escape(title, quote=True)}">'


def _formula(name: str, printed: str) -> str:
    """Return a formula that scrolls sideways where it is too wide; the keyboard reaches those that may be."""
    wide = len(re.sub("<[^>]+>", "", printed)) >= _NARROW
    reached = f' role="group" tabindex="0" aria-label="Formula of {name}"' if wide else ""
    return f'<div class="formula"{reached}>{printed}</div>'


def _link(name: str, names: Mapping[str, str], linked: set[str]) -> str:
    title = html.escape(names.get(name, ""), quote=True)
    inner = f'<code title="{title}">{name}</code>'
    return f'<a href="#q-{name}">{inner}</a>' if name in linked else inner


def _parameters(rows: Sequence[Parameter], title: str) -> str:
    body = "".join(
        f'<tr id="q-{row.id}"><td><code>{row.id}</code></td><td>{html.escape(row.label)}</td>'
        f'<td class="number">{number_text(row.value)}</td><td>{unit_html(row.unit)}</td><td>{range_text(row)}</td>'
        f"<td>{row.role}</td><td>{row.grade}</td><td>{_source(row)}</td><td class='note'>{html.escape(row.note)}</td></tr>"
        for row in rows
    )
    header = "".join(
        f'<th class="number">{name}</th>' if name == "value" else f"<th>{name}</th>"
        for name in ("id", "meaning", "value", "unit", "range", "role", "grade", "source", "note")
    )
    return f"{_scrolled(title)}<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>"


def _source(row: Parameter) -> str:
    keys = [
        f'<a href="#ref-{html.escape(key)}">{html.escape(key)}</a>' for key in re.split(r"[;\s]+", row.source) if key
    ]
    return ", ".join(keys) + (f" {html.escape(row.locator)}" if row.locator else "")


def _anchor(title: str) -> str:
    return "submodel-" + re.sub(r"\W+", "-", title.lower())
