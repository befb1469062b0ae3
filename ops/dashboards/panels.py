"""What a panel looks like. Every panel has a title, words for whoever does not know the metric, a unit, and colours that mean something.

Rules: green is fine, orange is worth a look, red wants somebody; a panel without a limit has none of these colours. A graph begins at 0.
"""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heat_kinds
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from ops.dashboards.queries import Query
from ops.dashboards.scope import PROMETHEUS

Panel: TypeAlias = timeseries.Panel | stat.Panel | heatmap.Panel | bargauge.Panel | statetimeline.Panel
Made = TypeVar("Made", timeseries.Panel, stat.Panel, heatmap.Panel, bargauge.Panel, statetimeline.Panel)
Limits: TypeAlias = Sequence[tuple[float, str]]
"""From which value on which colour holds; below the first it is green."""

TALL, SMALL = 8, 4


def graph(
    title: str, words: str, queries: Sequence[Query], unit: str, *, width: int = 8, limits: Limits = (), stacked: bool = False
) -> Panel:
    """Lines over time; `stacked`: areas that add up."""
    panel = timeseries.Panel().legend(_legend()).tooltip(_tooltip()).line_width(1).min(0).fill_opacity(40 if stacked else 8)
    if stacked:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL))
    if limits:
        panel.thresholds(_thresholds(limits)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED)
        )
    return _asked(panel, title, words, queries, width, TALL).unit(unit)


def events(title: str, words: str, queries: Sequence[Query], *, width: int = 8, below: str = "") -> Panel:
    """Counts over time, as bars of a minute at least; answers whose name fits `below` hang under the line."""
    panel = timeseries.Panel().legend(_legend("sum")).tooltip(_tooltip()).draw_style(kinds.GraphDrawStyle.BARS).fill_opacity(70)
    panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL)).line_width(0).interval("1m").decimals(0)
    if below:
        panel.override_by_regexp(below, [models.DynamicConfigValue("custom.transform", "negative-Y")])
    else:
        panel.min(0)
    return _asked(panel, title, words, queries, width, TALL).unit("short")


def figure(
    title: str,
    words: str,
    query: Query,
    unit: str,
    *,
    width: int = 3,
    limits: Limits = (),
    decimals: int | None = None,
    least: str = "green",
) -> Panel:
    """One number as it is now, its course behind it. `least`: its colour below all limits."""
    panel = stat.Panel().graph_mode(kinds.BigValueGraphMode.AREA).reduce_options(_last())
    panel.color_mode(kinds.BigValueColorMode.VALUE if limits else kinds.BigValueColorMode.NONE).thresholds(_thresholds(limits, least))
    if decimals is not None:
        panel.decimals(decimals)
    return _asked(panel, title, words, [query], width, SMALL).unit(unit)


def heat(title: str, words: str, query: Query, unit: str, *, width: int = 12) -> Panel:
    """A histogram over time: the darker, the more."""
    colours = heatmap.HeatmapColorOptions().mode(heat_kinds.HeatmapColorMode.SCHEME).scheme("Blues").exponent(0.5).steps(64)
    axis = heatmap.YAxisConfig().unit(unit).axis_placement(kinds.AxisPlacement.LEFT)
    panel = heatmap.Panel().calculate(False).color(colours.fill("dark-blue").scale(heat_kinds.HeatmapColorScale.EXPONENTIAL)).y_axis(axis)
    panel.cell_gap(1).filter_values(heatmap.FilterValueRange().le(1e-9)).show_legend()
    target = _target(query, "A").format(PromQueryFormat.HEATMAP)
    return _placed(panel, title, words, width, TALL).with_target(target)


def bars(title: str, words: str, queries: Sequence[Query], unit: str, *, width: int = 8) -> Panel:
    """One bar for each answer, as it is now, in the order of the answers."""
    panel = bargauge.Panel().orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.GRADIENT)
    panel.no_value("none").reduce_options(_last()).min(0).color_scheme(
        dashboard.FieldColor().mode(models.FieldColorModeId.CONTINUOUS_BL_PU)
    ).decimals(0)
    return _asked(panel, title, words, queries, width, TALL, instant=True).unit(unit)


def states(title: str, words: str, query: Query, names: Sequence[tuple[str, str]], *, width: int = 12) -> Panel:
    """What each answer was when; `names`: word and colour of 0, 1, 2 ..."""
    meanings = {str(number): models.ValueMappingResult(text=text, color=colour) for number, (text, colour) in enumerate(names)}
    panel = statetimeline.Panel().mappings([models.ValueMap(options=meanings)]).merge_values(True).show_value(kinds.VisibilityMode.NEVER)
    panel.line_width(0).fill_opacity(80).row_height(0.8)
    return _asked(panel, title, words, [query], width, TALL)


def _asked(panel: Made, title: str, words: str, queries: Sequence[Query], width: int, height: int, *, instant: bool = False) -> Made:
    """The panel with its words and questions."""
    _placed(panel, title, words, width, height)
    for number, query in enumerate(queries):
        target = _target(query, chr(ord("A") + number))
        panel.with_target(target.instant() if instant else target.range())
    return panel


def _placed(panel: Made, title: str, words: str, width: int, height: int) -> Made:
    return panel.title(title).description(words).datasource(PROMETHEUS).span(width).height(height)


def _target(query: Query, name: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(name)


def _thresholds(limits: Limits, least: str = "green") -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(None, least), *(models.Threshold(value, colour) for value, colour in limits)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _legend(*figures: str) -> common.VizLegendOptions:
    shown = common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM).show_legend(True)
    return shown.calcs(list(figures))


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
