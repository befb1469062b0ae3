"""What every dashboard has: what one can choose at its top, where it leads, and what is marked on its time axis."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from ops.alerts.rules import RUNBOOKS

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "tierstream"
MANUAL = RUNBOOKS.removesuffix("/operations.md")
"""Where the manual is read, as the alerts' runbooks say it."""

_ALL = VariableOption(selected=True, text="All", value="$__all")


def board(uid: str, title: str, words: str) -> dashboard.Dashboard:
    """An empty dashboard with all that they share."""
    made = dashboard.Dashboard(title).uid(uid).description(words).tags([TAG]).timezone("browser").refresh("30s").time("now-1h", "now")
    made.readonly().tooltip(DashboardCursorSync.CROSSHAIR).with_variable(_datasource()).with_variable(_jobs())
    made.link(_others())
    return made


def choice(name: str, label: str, words: str, metric: str) -> dashboard.QueryVariable:
    """A choice among the values that the label `name` has on a metric; all of them to begin with."""
    return _values(name, label, words, f'label_values({metric}{{job=~"$job"}}, {name})').all_value(".*")


def manual(title: str, page: str) -> dashboard.DashboardLink:
    """A way to a page of the manual."""
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).icon("doc").url(f"{MANUAL}/{page}").target_blank(True)


def mark(name: str, colour: str, expr: str) -> dashboard.AnnotationQuery:
    """A mark on the time axis wherever the query answers."""
    return dashboard.AnnotationQuery().name(name).datasource(PROMETHEUS).enable(True).icon_color(colour).expr(expr)


def _datasource() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Prometheus")
        .type("prometheus")
        .description("The Prometheus that scrapes the workers.")
    )


def _jobs() -> dashboard.QueryVariable:
    words = "The application: workers that Prometheus scrapes as one job."
    return _values("job", "Application", words, "label_values(tierstream_commits_total, job)")


def _values(name: str, label: str, words: str, query: str) -> dashboard.QueryVariable:
    made = dashboard.QueryVariable(name).label(label).description(words).datasource(PROMETHEUS).query(query)
    made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.NATURAL_ASC)
    return made.multi(True).include_all(True).current(_ALL)


def _others() -> dashboard.DashboardLink:
    return dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([TAG]).include_vars(True).keep_time(True)
