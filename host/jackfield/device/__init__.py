"""Placeholder docstring: the room owner replaces this."""

__all__: list[str] = []
