"""What a long run has finished, kept beside the output until that is whole.

One JSON line that says what the run is about, then one line per finished row, in order. It holds results only, no
text of the table: the output is made from the input and the journal together.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nlp.errors import TableError


class Journal:
    """An open journal; `n_done` rows are finished."""

    def __init__(self, path: Path, *, about: Mapping[str, Any], resume: bool) -> None:
        """Begin the journal at `path`, or go on with it.

        Raises TableError if one is there and `resume` is not wanted, or it belongs to a run `about` something else.
        """
        self.path = path
        self.n_done = 0
        if path.exists():
            if not resume:
                raise TableError(f"{path} 是上次未完成的结果：加 --resume 接着做，或加 --force 重新做")
            self._take_up(about)
        else:
            path.write_text(_line(about), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def _take_up(self, about: Mapping[str, Any]) -> None:
        """Count the finished rows and cut off one that was being written when the run ended."""
        with self.path.open("r+b") as file:
            try:
                before = json.loads(file.readline())
            except ValueError as error:
                raise TableError(f"{self.path} 已损坏，不能接着做；加 --force 重新做") from error
            if changed := [key for key in about if before.get(key) != about[key]]:
                differing = "、".join(changed)
                raise TableError(f"{self.path} 属于另一次运行（{differing} 不同），不能接着做；加 --force 重新做")
            whole = file.tell()
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self.n_done += 1
            file.truncate(whole)

    def append(self, result: Mapping[str, Any]) -> None:
        """Keep the result of the next row."""
        self._file.write(_line(result))
        self._file.flush()
        self.n_done += 1

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the results of all finished rows, in order."""
        with self.path.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                yield json.loads(line)

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; it stays where it is."""
        self._file.close()

    def discard(self) -> None:
        """Remove the journal: the output is whole."""
        self._file.close()
        self.path.unlink()


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
