"""Grafana's dashboards as code, built with Grafana's own library (`grafana-foundation-sdk`); `python -m ops.dashboards` writes them.

    queries.py   what is asked of Prometheus: every metric is one of the catalogue
    panels.py    what a panel looks like: graphs, figures, heat, bars, states
    promise.py   the error budget of the scoring lag
    scope.py     what every dashboard has: variables, links, annotations
    sre.py       is the engine healthy? Scoring lag first; sre_workers.py: who does the work
    business.py  who stands where, who moves and why, what people are to do

Grafana reads the files of `ops/grafana/dashboards`; a house test holds them to this code. A developer's tool: no worker runs it.
"""
