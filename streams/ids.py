"""64-bit ids of texts: what a row or a dossier remembers of an id that may be long."""

from xxhash import xxh64_intdigest


def id64(text: str, seed: int = 0) -> int:
    """XXH64 of the text in UTF-8; ids of different seeds are unrelated."""
    return int(xxh64_intdigest(text.encode(), seed))
