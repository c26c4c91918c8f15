"""sousveil capture: how many cameras there are, from lists that each know some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sousveil._words import plural
from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.capture import Capture, Linkage

EXAMPLES = """
**Examples**

- `sousveil capture histories.csv` : every method that applies, and the one to quote
- `sousveil capture linked` : from the links that `sousveil link ... -o linked` wrote
- `sousveil capture two.csv --alpha 0.9 --beta 0.02` : two lists whose links are not perfect
- `sousveil capture cameras.csv --covariates zone,housing` : lists independent within a zone
- `sousveil capture nights.csv --occasions 18` : how often each was seen, columns times and count
"""

_MOST_SINGLE_MODELS = 5


def capture(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or Parquet with one 0/1 column a list and `count`; or the directory of "
            "`sousveil link`; or columns times and count.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="M",
            help="Only this method: lincoln-petersen, chapman, chao, sample-coverage, loglinear, "
            "loglinear-average, latent-class, doubly-robust, repeated.",
            show_default=False,
        ),
    ] = None,
    population_of: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Which cameras the lists can hold at all, printed with the result.",
            show_default=False,
        ),
    ] = None,
    covariates: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Columns that are no lists: what the cameras are like, for doubly-robust.",
            show_default=False,
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Of two lists: chance that a camera in both was linked.",
            show_default=False,
        ),
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Of two lists: chance that a camera of the second only was linked to one of the "
            "first.",
            show_default=False,
        ),
    ] = None,
    alpha_se: Annotated[
        float, typer.Option("--alpha-se", metavar="S", help="Standard error of --alpha.")
    ] = 0.0,
    beta_se: Annotated[
        float, typer.Option("--beta-se", metavar="S", help="Standard error of --beta.")
    ] = 0.0,
    lists: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Of links: which sources to use. Default: all.", show_default=False
        ),
    ] = None,
    repeated: Annotated[
        bool,
        typer.Option("--repeated", help="The columns are occasions of one count, not lists."),
    ] = False,
    occasions: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="On how many occasions one looked, for columns times and count.",
            show_default=False,
        ),
    ] = None,
    imputations: Annotated[
        int, typer.Option(min=2, metavar="N", help="How often uncertain links are drawn.")
    ] = 20,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything that is random.")] = 0,
) -> None:
    """Estimate how many cameras there are from which lists hold which.

    Every method that applies is tried, what cannot be estimated is left out, and one estimate is
    recommended with the rule that chose it. Where the methods disagree, it says so.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.capture import capture as run

        result = run(
            file,
            model=model,
            covariates=_names(covariates),
            linkage=_linkage(alpha, beta, alpha_se, beta_se),
            lists=_names(lists) or None,
            repeated=repeated,
            occasions=occasions,
            imputations=imputations,
            population_of=population_of,
            seed=seed,
            progress=progress.step,
        )
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result.as_json()))
    else:
        typer.echo("\n".join(_told(result)))


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _linkage(
    alpha: float | None, beta: float | None, alpha_se: float, beta_se: float
) -> Linkage | None:
    from sousveil.capture import Linkage

    if alpha is None and beta is None:
        return None
    return Linkage(1.0 if alpha is None else alpha, beta or 0.0, alpha_se, beta_se)


def _told(result: Capture) -> list[str]:
    lists = ", ".join(result.lists)
    held = f"seen in {plural(len(result.lists), 'list')}: {lists}"
    lines = [f"{plural(result.observed, 'camera')} {held}", ""]
    lines += _table(result.models.to_pylist())
    best = result.recommended
    if result.identifiable:
        interval = f"95 % {best['low']:,.0f} to {best['high']:,.0f}"
        lines += ["", f"Recommended: {best['estimate']:,.0f} ({interval}), {best['name']}."]
        lines += [f"  Why: {best['rule']}.", f"  Holds if {best['assumes']}."]
        lines += _ensemble(result)
    else:
        lines += ["", f"At least {best['low']:,.0f}; no total can be told from these lists."]
    lines += _links(result.linkage)
    lines += [f"Counted are: {result.population_of}."]
    return lines + [f"Warning: {said}." for said in result.warnings]


def _ensemble(result: Capture) -> list[str]:
    """Return the line of the ensemble, none where it would be one estimate once more."""
    together, mixed = result.ensemble, result.ensemble_of
    if len(mixed) < 2 or together["estimate"] is None or together["high"] is None:
        return []
    names = {label.partition(" ")[0] for label in mixed}
    of = "the methods" if len(names) > 1 else f"the {len(mixed)} of {names.pop()}"
    return [f"Ensemble of {of}: {together['estimate']:,.0f} "
            f"({together['low']:,.0f} to {together['high']:,.0f})."]  # fmt: skip


def _links(used: dict[str, Any] | None) -> list[str]:
    """Say with which errors of linkage the estimates were made."""
    if used is None:
        return []
    if used["draws"]:
        known = ", ".join(f"{alpha:.3g} of {name}" for name, alpha in (used["alpha"] or {}).items())
        missed = f"; missed links made up for by alpha {known}" if known else ""
        return [f"Links were drawn anew {used['draws']} times by their probabilities{missed}."]
    errors = [f" (standard error {used[key]:.2g})" if used[key] else ""
              for key in ("alpha_se", "beta_se")]  # fmt: skip
    return [f"Corrected for errors of links, by {used['from']}: alpha {used['alpha']:.4g}"
            f"{errors[0]}, beta {used['beta']:.4g}{errors[1]} of {used['second']}."]  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> list[str]:
    singles = [row for row in rows if row["name"] == "loglinear"]
    hidden = max(len(singles) - _MOST_SINGLE_MODELS, 0)
    shown = [row for row in rows if row["name"] != "loglinear"] + singles[:_MOST_SINGLE_MODELS]
    lines = [f"{'method':<18} {'estimate':>10} {'se':>9} {'low':>10} {'high':>10} {'AIC':>9} "
             f"{'BIC':>9}  terms"]  # fmt: skip
    lines += [
        f"{row['name']:<18} {_number(row['estimate'])} {_number(_open(row, 'se'), 9)} "
        f"{_number(row['low'])} {_number(_open(row, 'high'))} {_number(row['aic'], 9, 2)} "
        f"{_number(row['bic'], 9, 2)}  {', '.join(row['terms'])}".rstrip()
        for row in shown
    ]
    return lines + ([f"and {hidden:,} further loglinear models, see --json"] if hidden else [])


def _open(row: dict[str, Any], key: str) -> float | None:
    """Return a figure of a row, None where its interval has no width and so is none."""
    value: float | None = None if row["high"] == row["low"] else row[key]
    return value


def _number(value: float | None, width: int = 10, digits: int = 0) -> str:
    return f"{'-' if value is None else f'{value:,.{digits}f}':>{width}}"
