"""Our runtime against a Hugging Face pipeline of fp32 torch with the same encoder, in the same run.

    python -m bench.runtime [--bundle FOLDER] [--run RUN] [--threads 2]

Both take texts of about 128 characters, already normalised and masked, to probabilities of all heads; each on
`--threads` threads. Repeats are interleaved, so that whatever else runs on the machine slows both, and medians are
compared; on a busy machine the ratios still mean little, since torch waits for all its threads at every step: there
no verdict on the goal is given. With the fine-tuning `--run` the bundle was exported from, the pipeline has its very
weights and the answers are compared too; without it, weights are random in the same shape, which takes the same time.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, Pipeline, PreTrainedModel, PreTrainedTokenizerFast

from bench.arithmetic import least_seconds
from nlp.bundle import Bundle, load_bundle
from nlp.calibrate import Calibration
from nlp.petition import HEADS, Head, Petition
from nlp.prepare import prepare
from nlp.runtime import Runtime
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.classifier import FinetuneSettings, build_classifier, load_run
from training.model import PetitionClassifier, WindowBatch
from training.settings import build

SAMPLES = Path(__file__).parents[1] / "datasets" / "samples" / "petitions.jsonl"
N_CHARACTERS = 128
BATCH = 32
GOAL = 7.0

Answer = dict[Head, tuple[str, float]]


def main() -> None:
    """Print times, throughputs and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=30)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(arguments.threads)
    taxonomy = load_taxonomy()
    bundle = load_bundle(arguments.bundle, taxonomy)
    ours = Ours(bundle.runtime(n_threads=arguments.threads), bundle.calibration())
    theirs = pipeline(bundle, arguments.run, taxonomy)
    texts = sample_texts()
    if arguments.run:
        _say(f"same encoder answer on {agreement(bundle, theirs, texts):.1%} of heads and texts (int8 against fp32)")
    ratios = {"one text": compare("one text", ours, theirs, [texts[:1]], n_repeats=arguments.repeats)}
    batches = [texts[i : i + BATCH] for i in range(0, len(texts) - BATCH + 1, BATCH)]
    name, n_repeats = f"batches of {BATCH}", max(3, arguments.repeats // 5)
    ratios[name] = compare(name, ours, theirs, batches[:2], n_repeats=n_repeats)
    _say(verdict(ratios, load=load, n_cores=os.cpu_count() or 1))
    told_apart(bundle, texts, n_threads=arguments.threads)
    size = sum(file.stat().st_size for file in bundle.folder.iterdir())
    _say(f"bundle {bundle.id}: {size / 1e6:.1f} MB on disk")


class Ours:
    """The bundle's runtime from text to probabilities, as the router runs it."""

    def __init__(self, runtime: Runtime, calibration: Calibration) -> None:
        """Use an open `runtime`."""
        self._runtime = runtime
        self._calibration = calibration

    def __call__(self, texts: Sequence[str], **_: Any) -> list[Answer]:
        """Return the best label and its probability per head, one text after the other."""
        return [self._answer(text) for text in texts]

    def _answer(self, text: str) -> Answer:
        reading = self._runtime.read(text)
        scores = self._calibration.scores(reading.encoder, reading.linear)
        return _best(scores.probabilities, self._calibration.labels)


class HeadsModel(PreTrainedModel):
    """The classifier in the form a pipeline wants."""

    config_class = BertConfig
    _supports_sdpa = True

    def __init__(self, classifier: PetitionClassifier) -> None:
        """Wrap `classifier`."""
        super().__init__(classifier.encoder.config)
        self.classifier = classifier

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the logits (texts, labels) of every head."""
        owner = torch.arange(len(input_ids))
        batch = WindowBatch(pieces=input_ids, mask=attention_mask, owner=owner, n_texts=len(input_ids))
        logits: dict[str, torch.Tensor] = self.classifier(batch)
        return logits


class HeadsPipeline(Pipeline):
    """Text to the best label and its probability per head, in the three steps of every pipeline."""

    labels: dict[Head, tuple[str, ...]]

    def _sanitize_parameters(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, {}, {}

    def preprocess(self, text: str) -> Any:
        """Cut the text into pieces."""
        return self.tokenizer(text, return_tensors="pt", truncation=True, return_token_type_ids=False)

    def _forward(self, inputs: Any) -> Any:
        return self.model(**inputs)

    def postprocess(self, outputs: Any) -> Answer:
        """Turn logits into probabilities."""
        probabilities = {head: outputs[head][0].softmax(-1).numpy() for head in HEADS}
        return _best(probabilities, self.labels)


def pipeline(bundle: Bundle, run: Path | None, taxonomy: Taxonomy) -> HeadsPipeline:
    """Return the fp32 pipeline with the weights of `run`, else with random ones in the bundle's shape."""
    made = bundle.settings["settings"]
    file = str(bundle.folder / "tokenizer.json")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=file, model_max_length=made["window"])
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    if run is not None:
        classifier = load_run(run, taxonomy).model
    else:
        recipe = build(FinetuneSettings, made, source=bundle.id)
        scratch = replace(recipe, encoder=None, tokenizer=bundle.folder / "tokenizer.json")
        classifier = build_classifier(scratch, taxonomy, n_pieces=len(tokenizer))
    made_pipeline = HeadsPipeline(model=HeadsModel(classifier).eval(), tokenizer=tokenizer, device="cpu")
    made_pipeline.labels = dict(taxonomy.labels)
    return made_pipeline


def sample_texts() -> list[str]:
    """Return texts of N_CHARACTERS characters made from our own petitions."""
    rows = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    whole = "".join(prepare(Petition(title=row["title"], text=row["text"])).text.replace("\n", "") for row in rows)
    return [whole[i : i + N_CHARACTERS] for i in range(0, len(whole) - N_CHARACTERS + 1, N_CHARACTERS)]


def compare(name: str, ours: Ours, theirs: HeadsPipeline, batches: Sequence[list[str]], *, n_repeats: int) -> float:
    """Time both sides in turns over `batches`, print medians and return how many times as fast ours is."""
    mine, other = [], []
    for repeat in range(n_repeats + 2):
        for batch in batches:
            pair = _seconds(ours, batch), _seconds(theirs, batch)
            # The first two rounds warm caches and thread pools up.
            if repeat >= 2:
                mine.append(pair[0] / len(batch))
                other.append(pair[1] / len(batch))
    fast, slow = statistics.median(mine), statistics.median(other)
    _say(
        f"{name}: ours {1e3 * fast:.2f} ms per text ({1 / fast:.0f} texts/s), fp32 pipeline {1e3 * slow:.2f} ms"
        f" ({1 / slow:.0f} texts/s): {slow / fast:.1f} times as fast"
    )
    return slow / fast


def verdict(ratios: Mapping[str, float], *, load: float, n_cores: int) -> str:
    """Return whether each ratio reaches the goal; none is judged if more than half the cores were busy at the start."""
    if load > n_cores / 2:
        return (
            f"no verdict on the goal of {GOAL:.0f}: the load was {load:.1f} on {n_cores} cores before the start, and"
            " torch, which waits for all its threads, would look slower than it is; run this on a quiet machine"
        )
    told = (f"{name} {'reaches' if ratio >= GOAL else 'misses'} it" for name, ratio in ratios.items())
    return f"goal of {GOAL:.0f}: {', '.join(told)}"


def told_apart(bundle: Bundle, texts: Sequence[str], *, n_threads: int) -> None:
    """Print what the encoder's matrix products alone take here, the least that any tuning leaves."""
    made = bundle.settings["settings"]
    runtime = bundle.runtime()
    n_pieces = int(statistics.median(len(runtime.tokenise(text).windows.ids[0]) for text in texts))
    for name, int8 in (("int8", True), ("fp32", False)):
        seconds = least_seconds(
            n_pieces=n_pieces, n_layers=made["n_layers"], width=made["width"], n_threads=n_threads, int8=int8
        )
        _say(f"matrix products of one text of {n_pieces} pieces alone, {name}: {1e3 * seconds:.2f} ms")


def agreement(bundle: Bundle, theirs: HeadsPipeline, texts: Sequence[str]) -> float:
    """Return how often the bundle's encoder alone gives the pipeline's best label, over texts and heads."""
    runtime, labels = bundle.runtime(), bundle.calibration().labels
    same = []
    for text in texts[:BATCH]:
        reading = runtime.read(text)
        answer = theirs(text)
        same += [labels[head][int(reading.encoder[head].argmax())] == answer[head][0] for head in HEADS]
    return float(np.mean(same))


def _seconds(answer: Callable[..., Any], batch: list[str]) -> float:
    began = time.perf_counter()
    with torch.inference_mode():
        answer(batch, batch_size=len(batch))
    return time.perf_counter() - began


def _best(probabilities: Any, labels: Any) -> Answer:
    best = {head: int(probabilities[head].argmax()) for head in HEADS}
    return {head: (labels[head][place], float(probabilities[head][place])) for head, place in best.items()}


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
