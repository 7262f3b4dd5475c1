"""The rows of a CSV file, one after the other, each with its place for error messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...engine.errors import ArgumentError
from .errors import DataFileError
from .source import file_size

DELIMITERS = ",;\t|"
SNIFFED = 4096
"""Bytes from the beginning that the delimiter is guessed from."""


class CsvRows:
    """Iterate over the fields of every row that is not blank, stripped of spaces around them.

    `row` and `line` count from 1 and `offset` is the byte at which the last line read begins; the
    header, if there is one, is the first row.
    """

    def __init__(self, path: Any, delimiter: str | None, encoding: str) -> None:
        try:
            one_byte = "\n,".encode(encoding) == b"\n,"
        except (LookupError, TypeError):
            one_byte = False
        if not one_byte:
            raise ArgumentError(
                f"read_csv: expected an encoding that extends ASCII, such as utf-8 or latin-1, "
                f"got {encoding!r}; convert the file to utf-8"
            )
        if delimiter is not None and (
            not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'
        ):
            raise ArgumentError(f"read_csv: expected delimiter to be one sign, got {delimiter!r}")
        self.path, self.encoding = path, encoding
        self.row = self.line = self.offset = 0
        file_size(path)
        self.delimiter = self._sniffed() if delimiter is None else delimiter

    def __iter__(self) -> Iterator[list[str]]:
        import csv

        self.row = self.line = self.offset = 0
        reader = csv.reader(self._lines(), delimiter=self.delimiter, strict=True)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.fail(f"after row {self.row}: {error}") from error
            if fields:
                self.row += 1
                yield [field.strip() for field in fields]

    def fail(self, reason: str) -> DataFileError:
        """The error to raise, at the line that was read last."""
        return DataFileError(self.path, f"line {self.line}: {reason}", self.offset)

    def _lines(self) -> Iterator[str]:
        # Lines are decoded one by one, so that the place of a wrong byte is known.
        end = 0
        with self._open() as stream:
            for raw in stream:
                self.line, self.offset, end = self.line + 1, end, end + len(raw)
                raw = raw.removeprefix(b"\xef\xbb\xbf") if self.line == 1 else raw
                if b"\0" in raw:
                    raise self.fail("expected text, got a null character: no CSV file, or UTF-16")
                try:
                    yield raw.decode(self.encoding)
                except UnicodeDecodeError as error:
                    raise self.fail(
                        f"expected text in {self.encoding}, got byte {raw[error.start]:#04x} at "
                        f"position {error.start} of the line; save the file as UTF-8, or write "
                        f'its encoding, such as encoding="latin-1"'
                    ) from error

    def _open(self) -> Any:
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise DataFileError(self.path, f"cannot be opened: {error.strerror}") from error

    def _sniffed(self) -> str:
        import csv

        with self._open() as stream:
            text = stream.read(SNIFFED).decode("latin-1")
        text = text[: text.rfind("\n") + 1] or text
        # Without quotes: what stands in them may be full of delimiters, and the sniffer's patterns
        # for quotes can take for ever.
        text = re.sub(r'"[^"]*"', "x", text).replace('"', "").replace("'", "")
        try:
            return csv.Sniffer().sniff(text, DELIMITERS).delimiter
        except csv.Error:
            return max(DELIMITERS, key=text.partition("\n")[0].count)
