"""The picture of one person's options: eGFR and albuminuria over five years, everybody's spread around the course as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..common.drawing import colour, wrap_label
from ..common.figures import PALETTE, STYLES, drawable, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...twins.patient_forecast import PatientForecast

#: The course that changes nothing.
_GREY = "#374151"
_PANELS = (("egfr", "eGFR (mL/min/1.73 m²)", False), ("uacr", "UACR (mg/g)", True))


def patient_figure(forecast: PatientForecast, width: float = 4.8, side_by_side: bool = False) -> Figure:
    """Return medians of the people under every option, with the range of 9 of 10 people as they are treated now.

    Parameters
    ----------
    width
        In inches.
    side_by_side
        Whether the two quantities stand beside each other; else below.
    """
    options = forecast.outcomes.options
    shape = (1, 2) if side_by_side else (2, 1)
    legend = 0.22 * len(options)
    figure = new_figure(width, (2.5 if side_by_side else 4.4) + legend)
    panels = figure.subplots(*shape, sharex=True, squeeze=False).flat
    for axes, (name, label, logarithmic) in zip(panels, _PANELS, strict=True):
        _draw(axes, forecast, name)
        axes.set_ylabel(label)
        if logarithmic:
            axes.set_yscale("log")
            _plain_numbers(axes)
        else:
            axes.set_ylim(bottom=0.0)
        axes.set_xlim(0.0, options[0].course.years[-1])
        if side_by_side or logarithmic:
            axes.set_xlabel("years from now")
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=1, fontsize=8)
    return figure


def _draw(axes: Axes, forecast: PatientForecast, name: str) -> None:
    now, *others = forecast.outcomes.options
    low, middle, high = getattr(now.course, name)
    axes.fill_between(
        now.course.years, low, high, color=_GREY, alpha=0.13, linewidth=0.0, label="as now: 9 of 10 people"
    )
    axes.plot(now.course.years, middle, color=_GREY, linewidth=2.2, label="as now: median")
    for number, option in enumerate(others):
        hue = colour(option.scenario) if option.scenario else PALETTE[(number + 2) % len(PALETTE)]
        style = STYLES[(number + 1) % len(STYLES)]
        label = drawable(wrap_label(option.name, 62, 2))
        axes.plot(option.course.years, getattr(option.course, name)[1], color=hue, linestyle=style, label=label)


def _plain_numbers(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def picture_words(forecast: PatientForecast) -> str:
    """Say what the picture shows, for those who cannot see it."""
    parts = [
        f"{option.name}: eGFR {option.egfr[0.0][1]:.0f} to {option.egfr[5.0][1]:.0f}, UACR {option.uacr[0.0][1]:.0f} to {option.uacr[5.0][1]:.0f}"
        for option in forecast.outcomes.options
    ]
    return f"Medians now and after five years. {'; '.join(parts)}."
