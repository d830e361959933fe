"""petition-train: from texts and labels to a bundle."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from nlp.errors import PetitionError

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _program() -> None:
    """Train, measure and package the petition model."""


Overrides = Annotated[list[str] | None, typer.Option("--set", help="key=value, overrides the recipe (TOML value)")]


@app.command("pretrain")
def pretrain_command(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe, for example training/recipes/pretrain-cpu.toml")],
    run: Annotated[Path, typer.Option(help="folder of the run; an interrupted run goes on from here")],
    overrides: Overrides = None,
) -> None:
    """Pre-train an encoder by masked language modelling; resumes by itself."""
    from training.pretrain import PretrainSettings, pretrain
    from training.settings import read_recipe

    folder = pretrain(read_recipe(PretrainSettings, recipe, overrides or []), run=run, console=Console())
    typer.echo(f"encoder: {folder}")


@app.command("finetune")
def finetune_command(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe, for example training/recipes/finetune.toml")],
    run: Annotated[Path, typer.Option(help="folder of the run")],
    overrides: Overrides = None,
) -> None:
    """Fine-tune an encoder on labelled petitions."""
    from training.classifier import FinetuneSettings
    from training.finetune import finetune
    from training.settings import read_recipe

    folder = finetune(read_recipe(FinetuneSettings, recipe, overrides or []), run=run, console=Console())
    typer.echo(f"run: {folder}")


@app.command("ablate")
def ablate_command(
    recipe: Annotated[Path, typer.Argument(help="TOML file, for example training/recipes/ablation.toml")],
    out: Annotated[Path, typer.Option(help="folder for the runs and the table; finished runs are kept")],
    encoder: Annotated[Path | None, typer.Option(help="pre-trained encoder that the base starts from")] = None,
    data: Annotated[Path, typer.Option(help="folder of the messages")] = Path("../shared/data"),
) -> None:
    """Compare the steps of fine-tuning on the calibration split, one change at a time."""
    from training.ablation import read_ablation, run_ablation

    table = run_ablation(read_ablation(recipe, data=data, encoder=encoder), out=out, console=Console())
    typer.echo(table.read_text(encoding="utf-8"))


@app.command("export")
def export_command(
    run: Annotated[Path, typer.Argument(help="folder of a finished fine-tuning run")],
    bundle: Annotated[Path, typer.Argument(help="folder of the bundle to write, new, for example runs/bundle")],
    data: Annotated[Path, typer.Option(help="folder of the messages")] = Path("../shared/data"),
    quantise: Annotated[bool, typer.Option(help="int8 weights for the encoder")] = True,
) -> None:
    """Make a bundle of a run: linear branch, ONNX encoder, calibration, thresholds."""
    from training.export import export_bundle

    typer.echo(f"bundle: {export_bundle(run, bundle, data=data, console=Console(), quantise=quantise)}")


@app.command("splits")
def splits_command(
    data: Annotated[Path, typer.Option(help="folder of the messages")] = Path("../shared/data"),
) -> None:
    """Report the frozen splits: rows, labelled rows, and near-duplicates that cross them (there must be none).

    The urgent sentences and letters that nothing learns from are looked at with them.
    """
    from nlp.taxonomy import load_taxonomy
    from training.data import read_examples, read_urgent_letters, read_urgent_sentences
    from training.split import find_leaks, split_examples

    dealt = split_examples(read_examples(data, load_taxonomy()))
    for split, examples in dealt.items():
        typer.echo(f"{split:12} {len(examples):6} rows, {sum(bool(e.labels) for e in examples):6} with labels")
    urgent = [*read_urgent_sentences("held"), *read_urgent_letters()]
    typer.echo(f"{'urgent':12} {len(urgent):6} sentences and letters, not learnt from")
    leaks = find_leaks(dealt | {"urgent": urgent})
    typer.echo(f"near-duplicates across splits: {len(leaks)}")
    for leak in leaks:
        typer.echo(f"  {leak.first} {leak.second} {leak.similarity:.2f} ({' and '.join(leak.between)})")
    if leaks:
        raise typer.Exit(1)


@app.command("evaluate")
def evaluate_command(
    bundle: Annotated[Path, typer.Argument(help="folder of the bundle, for example nlp/bundles/default")],
    out: Annotated[Path, typer.Option(help="folder for metrics.json, report.html and mistakes.csv")],
    data: Annotated[Path, typer.Option(help="folder of the messages")] = Path("../shared/data"),
    run: Annotated[Path | None, typer.Option(help="its fine-tuning run; adds the public seven-class task")] = None,
    folds: Annotated[
        bool, typer.Option("--folds", help="cross-validate the linear branch, draw its learning curve")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="put figures and card into the bundle, seal it anew")
    ] = False,
) -> None:
    """Measure a bundle on the frozen test rows, beside the baselines."""
    from training.evaluate import EvaluateSettings, evaluate_bundle, update_bundle
    from training.settings import build

    settings = build(EvaluateSettings, {"data": data, "run": run, "folds": folds}, source="evaluate")
    metrics = evaluate_bundle(bundle, out=out, settings=settings, console=Console())
    if update:
        update_bundle(bundle, metrics)
    typer.echo(f"report: {out / 'report.html'}")


@app.command("repeat")
def repeat_command(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe, for example training/recipes/repeat.toml")],
    out: Annotated[Path, typer.Option(help="folder for repeats.json; what is finished there is kept")],
    overrides: Overrides = None,
) -> None:
    """Cross-validate the whole model in five folds and draw its learning curve; resumes by itself."""
    from training.classifier import FinetuneSettings
    from training.repeats import repeat_recipe
    from training.settings import read_recipe

    figures = repeat_recipe(read_recipe(FinetuneSettings, recipe, overrides or []), out=out, console=Console())
    typer.echo(f"figures: {figures}")


@app.command("compare")
def compare_command(
    first: Annotated[Path, typer.Argument(help="bundle that serves now, for example nlp/bundles/default")],
    second: Annotated[Path, typer.Argument(help="bundle that might take its place")],
    data: Annotated[Path, typer.Option(help="folder of the messages")] = Path("../shared/data"),
    split: Annotated[
        Literal["calibration", "thresholds", "test"] | None,
        typer.Option(help="compare on this split alone; without it on calibration and thresholds"),
    ] = None,
) -> None:
    """Compare two bundles on the same frozen rows: accuracy, automatic acceptance, flags of level S.

    Both bundles were calibrated on the rows compared on by default, so their figures look a little better there than
    they are. The test rows are not for choosing (docs/decisions/0002): look at them once, with --split test.
    """
    from training.compare import as_text, compare_bundles
    from training.split import HELD

    typer.echo(as_text(compare_bundles(first, second, data=data, splits=(split,) if split else HELD)))


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 2."""
    try:
        app()
    except PetitionError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from error
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("nlp", "training"):
            raise
        typer.echo(f"error: {error.name} is not installed: training needs the extra [train], see README.md", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
