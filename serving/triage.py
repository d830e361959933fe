"""Judge a whole table: every row gets a result or a typed error, in order, and nothing of the input is lost."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nlp.bundle import sha256
from nlp.errors import TableError, TextError
from nlp.petition import HEADS, Head, Petition, Suggestion
from nlp.router import MAX_CHARACTERS
from nlp.taxonomy.records import SEPARATOR
from serving.classifier import Classifier
from serving.tables import Columns, Row, Table, cell_text, check_extension, check_writable, output_names, write_table
from serving.tables.journal import Journal

Result = Mapping[str, Any]

ERROR = "error"
ADDED = (
    *HEADS,
    *(f"{head}_confidence" for head in HEADS),
    "channel_alternatives",
    "department_top3",
    "decision",
    "reasons",
    ERROR,
)
"""The columns added to those of the input, in this order."""

_LIST_SEPARATOR = ";"
_ROWS_AHEAD = 4
"""Rows per worker that are read before the first of them is finished: enough that none waits for another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One table to judge and where the result goes; `sheet` is the worksheet that was asked for.

    The overlays are the office's files the classifiers were loaded with.
    """

    source: Path
    table: Table
    columns: Columns
    out: Path
    sheet: str | None = None
    taxonomy_overlay: Path | None = None
    knowledge_overlay: Path | None = None

    @property
    def partial(self) -> Path:
        """Where finished rows are kept until all are."""
        return self.out.with_name(f"{self.out.name}.partial")

    @property
    def names(self) -> dict[str, str]:
        """The output name of every input column."""
        return output_names(self.table.columns, added=ADDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What came of a table: `errors` by type, `departments` by code, both counted in rows."""

    n_rows: int
    n_auto: int
    errors: Counter[str]
    departments: Counter[str]

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Summary":
        """Count `results`."""
        n_rows = n_auto = 0
        errors: Counter[str] = Counter()
        departments: Counter[str] = Counter()
        for result in results:
            n_rows += 1
            if result[ERROR]:
                errors[result[ERROR].partition(":")[0]] += 1
            else:
                n_auto += result["decision"] == "auto"
                departments[result["department"]] += 1
        return cls(n_rows=n_rows, n_auto=n_auto, errors=errors, departments=departments)


def check_paths(source: Path, out: Path, *, force: bool) -> None:
    """Raise TableError if `out` has no folder, an unknown extension, is the input, or is there and not to be forced."""
    check_extension(out)
    if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
        raise TableError(f"输出不能就是输入文件：{out}")
    if out.is_dir() or not out.parent.is_dir():
        raise TableError(f"{out} 不能写：{'这是一个文件夹' if out.is_dir() else '没有这个文件夹'}")
    if out.exists() and not force:
        raise TableError(f"{out} 已存在；加 --force 覆盖")


def triage(
    job: Job,
    classifiers: Sequence[Classifier],
    *,
    resume: bool,
    on_row: Callable[[int], None],
) -> Summary:
    """Judge all rows of `job`, one thread per classifier, and write the output when all are done.

    `on_row` is told after each row how many are finished. Whatever interrupts the run leaves its journal behind, and
    the next run with `resume` goes on from there. Raises TableError.
    """
    try:
        check_writable(job.out, n_rows=job.table.n_rows, n_columns=len(job.names) + len(ADDED))
        about = _about(job, classifiers[0])
        with Journal(job.partial, about=about, resume=resume) as journal:
            on_row(journal.n_done)
            rows = job.table.rows()
            for _ in range(journal.n_done):
                next(rows)
            for result in _results(rows, job.columns, classifiers):
                journal.append(result)
                on_row(journal.n_done)
            if sha256(job.source) != about["input"]:
                raise TableError(f"{job.source.name} 在研判期间被改动，结果不能写出；请加 --force 重新做")
            columns = [*job.names.values(), *ADDED]
            write_table(job.out, columns, _merged(job, journal.results()), for_excel=job.table.for_excel, notes=ERROR)
            summary = Summary.of(journal.results())
            journal.discard()
    except OSError as error:
        raise TableError(f"读写文件出错：{error.strerror}（{error.filename or job.out}）") from error
    return summary


def judge(row: Row, columns: Columns, classifier: Classifier) -> Result:
    """Return the added cells of one row; whatever goes wrong with it stands in its `error`."""
    if row.fault:
        return _failed(row.fault)
    cells = {role: row.cells.get(name) if name else None for role, name in asdict(columns).items()}
    if any(isinstance(cell, (dict, list)) for cell in cells.values()):
        return _failed("bad_row:编号、标题、正文须是文字，不能是列表或对象")
    petition = Petition(
        id=cell_text(cells["id"]) or None, title=cell_text(cells["title"]), text=cell_text(cells["text"])
    )
    if not petition.content.strip():
        return _failed("empty_text:标题和正文都是空的")
    if (length := len(petition.content)) > MAX_CHARACTERS:
        return _failed(f"too_long:{length}字，上限{MAX_CHARACTERS}字")
    try:
        return _judged(classifier.suggest(petition))
    except TextError as error:
        return _failed(f"not_judgeable:{error}")
    except Exception as error:  # noqa: BLE001  one row must not stop the others; its message could quote the text
        return _failed(f"internal_error:{type(error).__name__}")


def annotation_value(head: Head, code: str) -> str:
    """Return a label as annotations spell it: of a second-level category only its own name."""
    return code.partition(SEPARATOR)[2] if head == "category_l2" else code


def _judged(suggestion: Suggestion) -> Result:
    predictions = suggestion.predictions
    return {
        **{head: annotation_value(head, predictions[head].best.code) for head in HEADS},
        **{f"{head}_confidence": round(float(predictions[head].best.confidence), 4) for head in HEADS},
        "channel_alternatives": _LIST_SEPARATOR.join(option.channel for option in suggestion.channel_alternatives),
        "department_top3": _LIST_SEPARATOR.join(c.code for c in predictions["department"].candidates[:3]),
        "decision": suggestion.decision.action,
        "reasons": _LIST_SEPARATOR.join(reason.key for reason in suggestion.decision.reasons),
        ERROR: "",
    }


def _failed(fault: str) -> Result:
    """Return the cells of a row without result: it is for a person, like every row the machine may not decide."""
    return {**dict.fromkeys(ADDED, ""), "decision": "review", ERROR: fault}


def _results(rows: Iterator[Row], columns: Columns, classifiers: Sequence[Classifier]) -> Iterator[Result]:
    """Yield the results of `rows` in order while every classifier works on a row of its own."""
    idle: SimpleQueue[Classifier] = SimpleQueue()
    for classifier in classifiers:
        idle.put(classifier)

    def work(row: Row) -> Result:
        classifier = idle.get()
        try:
            return judge(row, columns, classifier)
        finally:
            idle.put(classifier)

    underway: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(len(classifiers), thread_name_prefix="triage")
    try:
        for row in rows:
            underway.append(pool.submit(work, row))
            if len(underway) >= _ROWS_AHEAD * len(classifiers):
                yield underway.popleft().result()
        while underway:
            yield underway.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _merged(job: Job, results: Iterable[Result]) -> Iterator[Result]:
    """Yield the output rows: the input's cells under their output names, then ours."""
    names = job.names
    for row, result in zip(job.table.rows(), results, strict=True):
        cells = {job.columns.text: row.raw} if row.raw else row.cells
        yield {**{names[column]: value for column, value in cells.items()}, **result}


def _about(job: Job, classifier: Classifier) -> dict[str, Any]:
    """Return what must be the same for an interrupted run to go on."""
    return {
        "input": sha256(job.source),
        "sheet": job.sheet,
        "columns": asdict(job.columns),
        "program": version("petition-router"),
        "bundle": classifier.bundle.id,
        "taxonomy": classifier.taxonomy.version,
        "taxonomy_overlay": _digest(job.taxonomy_overlay),
        "knowledge_overlay": _digest(job.knowledge_overlay),
        "error_budget": classifier.thresholds.budget,
    }


def _digest(overlay: Path | None) -> str | None:
    return sha256(overlay) if overlay else None
