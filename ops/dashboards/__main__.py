"""`python -m ops.dashboards`: write the dashboards where Grafana finds them."""

from ops.dashboards.files import write

if __name__ == "__main__":
    write()
