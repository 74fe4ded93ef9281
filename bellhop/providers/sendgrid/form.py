"""A form as its bytes came, its fields whole: no charset is guessed, and none is too long (RFC 7578)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FIELDS = 300


@dataclass(slots=True)
class Field:
    """One field. `filename`: None of those that are no file."""

    name: str = ""
    filename: str | None = field(default=None, repr=False)
    content_type: str | None = None
    data: bytes = field(default=b"", repr=False)


class _Reader:
    """What the parser finds, as fields."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self._pieces: list[bytes] = []
        self._header = b""
        self._value = b""

    def callbacks(self) -> MultipartCallbacks:
        """For the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_part_data": lambda data, start, end: self._pieces.append(data[start:end]),
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.fields) == MOST_FIELDS:
            raise ValueError("too many fields")
        self.fields.append(Field())
        self._pieces = []

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        one, name = self.fields[-1], self._header.lower()
        if name == b"content-disposition":
            _, options = parse_options_header(self._value)
            one.name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                one.filename = options[b"filename"].decode("utf-8", "replace")
        elif name == b"content-type":
            one.content_type = self._value.decode("latin-1")[:255]
        self._header = self._value = b""

    def _end(self) -> None:
        self.fields[-1].data = b"".join(self._pieces)
        self._pieces = []


def fields_of(body: bytes, content_type: str) -> list[Field]:
    """The fields of a form, in their order. Raises ValueError."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ValueError("not a form in parts")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as problem:
        raise ValueError("not a form in parts") from problem
    return reader.fields
