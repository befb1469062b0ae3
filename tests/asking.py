"""HTTP as a test asks it: an answer, whatever becomes of the one who is asked."""

import urllib.error
import urllib.request


def answer_of(url: str) -> tuple[int, str]:
    """Status and body; (0, why) when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError as nobody:
        return 0, str(nobody)
