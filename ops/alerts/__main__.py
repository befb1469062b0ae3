"""`python -m ops.alerts`."""

from ops.alerts.files import main

if __name__ == "__main__":
    main()
