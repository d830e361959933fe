"""How much the server takes: throughput and latency of classify and submit, and what overload gets.

    python -m bench.load            about two minutes on two cores
    python -m bench.load --requests 50 --json load.json

It starts `petition serve` on the loopback with the bundled model and a database of its own in a temporary folder,
asks a bounded number of times with 1, 8 and 32 clients, and then floods a server with a queue of 8: every answer
must be 200 or 429 with Retry-After, none a 5xx or a time-out. Exit code 1 where that does not hold.
"""

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import httpx

from nlp.bundle import DEFAULT
from serving.context import utc_now
from serving.roles import COMMAND_LINE
from serving.store import keys
from serving.store.engine import Store

CLIENTS = (1, 8, 32)
FLOOD_CLIENTS = 64
FLOOD_QUEUE = 8
SENTENCES = (
    "我们小区东门外的烧烤店每天晚上油烟直排，一直到凌晨两点。",
    "向街道反映过两次，至今没有答复。",
    "公司拖欠我们班组二十多人三个月的工资，合计十八万余元。",
    "村口的路灯坏了一个多月，老人晚上出门很不安全。",
    "楼上住户违规把阳台改成厨房，物业说管不了。",
    "请问退役军人子女入学有什么优待政策，需要准备哪些材料？",
    "开发商承诺的学校到现在没有动工，合同里写得很清楚。",
    "希望有关部门依法查处，并书面告知处理结果。",
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What came of one round; times in milliseconds, of the answers with status `good`."""

    what: str
    n_clients: int
    n_requests: int
    per_second: float
    p50: float
    p95: float
    p99: float
    statuses: dict[str, int]


def texts(count: int, *, seed: int = 7) -> list[str]:
    """Return `count` petitions of ours, 30 to about 800 characters long; no two are the same."""
    draw = random.Random(seed)  # noqa: S311  no secret, but the same load every time
    return [f"第{n}号：" + "".join(draw.choices(SENTENCES, k=draw.choice((1, 2, 4, 8, 30)))) for n in range(count)]


@contextmanager
def server(folder: Path, **settings: object) -> Iterator[tuple[str, str]]:
    """Run `petition serve` and yield its address and a key."""
    url = f"sqlite:///{folder / 'load.sqlite3'}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {"database_url": url, "port": port, "rate_limit": "10000000/minute", **settings}
    environment = os.environ | {f"PETITION_{name.upper()}": str(value) for name, value in given.items()}
    with (folder / "server.log").open("ab") as log:
        command = [sys.executable, "-m", "serving.cli", "serve"]
        process = subprocess.Popen(command, env=environment, stderr=log)  # noqa: S603  our own program
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_ready(address, process, folder / "server.log")
        yield address, _key(url)
    finally:
        process.terminate()
        process.wait(60)


def _wait_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    with httpx.Client(base_url=address, timeout=30) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if client.get("/readyz").status_code == 200:
                    return
            time.sleep(0.2)
    raise SystemExit(f"the server did not get ready; the end of its log:\n{log.read_text()[-2000:]}")


def _key(url: str) -> str:
    store = Store(url)
    with store.write() as session:
        _, key = keys.create(session, name="load", role="service", expires_at=None, actor=COMMAND_LINE, now=utc_now())
    store.close()
    return key


def classify(client: httpx.Client, text: str) -> httpx.Response:
    """Judge without keeping."""
    return client.post("/v1/classify", json={"text": text})


def submit(client: httpx.Client, text: str) -> httpx.Response:
    """Judge and keep."""
    return client.post("/v1/petitions", json={"text": text}, headers={"Idempotency-Key": uuid.uuid4().hex})


Ask = Callable[[httpx.Client, str], httpx.Response]


def measure(ask: Ask, *, address: str, key: str, n_clients: int, n_requests: int) -> Figures:
    """Send `n_requests` from `n_clients` that each wait for their answer before they ask again."""
    waiting = iter(texts(n_requests))
    lock = threading.Lock()
    seconds: list[float] = []
    statuses: Counter[str] = Counter()

    def work(_: int) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
            while True:
                with lock:
                    text = next(waiting, None)
                if text is None:
                    return
                begun = time.perf_counter()
                outcome = _outcome(ask, client, text)
                took = time.perf_counter() - begun
                with lock:
                    statuses[outcome] += 1
                    if outcome in {"200", "201"}:
                        seconds.append(took)

    begun = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as pool:
        list(pool.map(work, range(n_clients)))
    elapsed = time.perf_counter() - begun
    seconds.sort()
    p50, p95, p99 = (round(1000 * _quantile(seconds, share), 1) for share in (0.5, 0.95, 0.99))
    return Figures(
        what=ask.__name__,
        n_clients=n_clients,
        n_requests=n_requests,
        per_second=round(len(seconds) / elapsed, 1),
        p50=p50,
        p95=p95,
        p99=p99,
        statuses=dict(sorted(statuses.items())),
    )


def _outcome(ask: Ask, client: httpx.Client, text: str) -> str:
    try:
        answer = ask(client, text)
    except httpx.TransportError as error:
        return type(error).__name__
    if answer.status_code == 429 and "retry-after" not in answer.headers:
        return "429 without Retry-After"
    return str(answer.status_code)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def show(figures: Figures) -> None:
    """Print one line of the table."""
    said = " ".join(f"{status}:{count}" for status, count in figures.statuses.items())
    sys.stdout.write(
        f"| {figures.what} | {figures.n_clients} | {figures.per_second} | {figures.p50} | {figures.p95} "
        f"| {figures.p99} | {said} |\n"
    )
    sys.stdout.flush()


def run(n_requests: int) -> tuple[list[Figures], Figures]:
    """Return the rounds of ordinary load and the one of overload, each printed as it ends."""
    rounds: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="petition-load-") as name:
        with server(Path(name)) as (address, key):
            for ask, n_clients in product((classify, submit), CLIENTS):
                rounds.append(measure(ask, address=address, key=key, n_clients=n_clients, n_requests=n_requests))
                show(rounds[-1])
        with server(Path(name), max_waiting=FLOOD_QUEUE, max_items=FLOOD_QUEUE) as (address, key):
            flood = measure(classify, address=address, key=key, n_clients=FLOOD_CLIENTS, n_requests=4 * n_requests)
            show(flood)
    return rounds, flood


def main() -> None:
    """Run all rounds; see the top of this file."""
    parser = argparse.ArgumentParser(prog="bench.load", description="throughput, latency and overload of the server")
    parser.add_argument("--requests", type=int, default=200, help="per round (default 200)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    if not DEFAULT.is_dir():
        raise SystemExit(f"no model in {DEFAULT}: the load test measures the real one")
    sys.stdout.write(
        "| request | clients | per second | p50 ms | p95 ms | p99 ms | answers |\n|---|---|---|---|---|---|---|\n"
    )
    rounds, flood = run(arguments.requests)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(found) for found in [*rounds, flood]], indent=1) + "\n")
    bad = [found for found in rounds if set(found.statuses) - {"200", "201"}]
    if bad or set(flood.statuses) != {"200", "429"}:
        raise SystemExit("answers that should not be: see the last column")


if __name__ == "__main__":
    main()
