"""Text that can be stored: JSON can carry half of a surrogate pair, which Parquet, UTF-8 and a terminal cannot."""


def storable(text: str) -> str:
    """The text with a question mark in the place of each half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def is_storable(text: str) -> bool:
    """Whether text is Unicode that can be stored as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
