"""Identifiers in paths."""


class HexId:
    """32 hex digits in any case; views see them in lower case. Anything else is a path that doesn't exist."""

    regex = "[0-9a-fA-F]{32}"

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value
