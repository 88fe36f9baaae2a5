"""`siaga bench`: how fast it is, beside the naive way; the work is done in `bench/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure

app = typer.Typer(no_args_is_help=True, help="Benchmarks; a table, or the figures with --json.")


@app.command()
def feed(
    readers: Annotated[int, typer.Option(min=2, help="Websocket readers.")] = 500,
    seconds: Annotated[float, typer.Option(min=2, help="Length of the steady part.")] = 20.0,
    burst: Annotated[int, typer.Option(min=2, help="Changes at once, at the end.")] = 500,
    stalled: Annotated[int, typer.Option(min=0, help="Readers that stop reading.")] = 50,
    capture_s: Annotated[
        float, typer.Option(min=0, help="Length of the part with cameras; 0 leaves it out.")
    ] = 60.0,
    bare_seconds: Annotated[
        float | None, typer.Option(min=2, help="Length of the comparison's steady part.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """From a camera's picture to a reader, and from a change to many readers."""
    from bench import capture
    from bench import feed as bench_feed

    plan = bench_feed.Plan(
        readers=readers,
        seconds=seconds,
        burst=burst,
        stalled=stalled,
        bare_seconds=bare_seconds,
    )
    figures = bench_feed.run(plan, _progress)
    tables = [bench_feed.table(figures)]
    if capture_s > 0:
        captured = capture.run(capture_s, say=_progress)
        tables.append(capture.table(captured))
        figures["capture"] = captured
    _show(figures, "\n".join(tables), as_json)


@app.command()
def fusion(
    seeds: Annotated[int, typer.Option(min=1, help="Simulated cities of each kind.")] = 2,
    first_seed: Annotated[int, typer.Option(min=0, help="Of the first city.")] = 101,
    full: Annotated[
        bool, typer.Option("--full", help="10 x 10 km, 2,000 cameras, 24 h, and variations.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every wrong pair and duplicate by its cause, too.")
    ] = False,
    load: Annotated[
        float | None,
        typer.Option(min=1, help="Instead: so many reports a second through the real service."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long, with --load.")] = 60.0,
    kills: Annotated[
        int | None,
        typer.Option(min=1, help="Instead: kill -9 of the fusion process, so often, over a day."),
    ] = None,
    takeovers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Instead: kill or suspend the leader, so often, beside a standby."
        ),
    ] = None,
    registered: Annotated[
        int | None,
        typer.Option(min=2_001, help="Instead: a report's cost with so many cameras registered."),
    ] = None,
    cueing: Annotated[
        bool, typer.Option("--cueing", help="Instead: what calls that cue cameras are worth.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """How well reports become incidents, beside naive ways, and what a report costs."""
    from dataclasses import replace

    if cueing:
        from bench.fusion import cueing as bench_cueing

        days = bench_cueing.Plan(first_seed=first_seed, seeds=seeds)
        found = bench_cueing.run(days, settings_from(config).fusion, _progress)
        _show(found, bench_cueing.table(found), as_json)
        return
    if registered is not None:
        from bench.fusion import registered as bench_registered

        costs = bench_registered.run(registered, first_seed)
        _show(costs, "\n".join(f"{name:<18} {value}" for name, value in costs.items()), as_json)
        return
    if load is not None or kills is not None or takeovers is not None:
        _fusion_live(load, seconds, kills, takeovers, first_seed, as_json)
        return

    from bench.fusion import run as bench_fusion
    from incidents.fusing.configured import parameters_of

    plan = bench_fusion.FULL if full else bench_fusion.Plan()
    seeds = max(5, seeds) if full else seeds
    plan = replace(plan, first_seed=first_seed, seeds=seeds, explained=explain)
    settings = settings_from(config)
    parameters = parameters_of(settings.fusion, settings.city.timezone)
    figures = bench_fusion.run(plan, parameters, _progress)
    _show(figures, bench_fusion.table(figures), as_json)


def _fusion_live(
    load: float | None,
    seconds: float,
    kills: int | None,
    takeovers: int | None,
    seed: int,
    as_json: bool,
) -> None:
    from bench.fusion import killing as bench_killing
    from bench.fusion import load as bench_load
    from bench.fusion import takeovers as bench_takeovers

    figures: dict[str, Any] = {}
    faults: tuple[str, ...] = ()
    if load is not None:
        figures |= bench_load.run(load, seconds, seed)
        faults += bench_load.FAULTS
    if kills is not None:
        figures |= bench_killing.run(kills, seed)
        faults += bench_killing.FAULTS
    if takeovers is not None:
        figures |= bench_takeovers.run(takeovers, seed)
        faults += bench_takeovers.FAULTS
    _show(figures, "\n".join(f"{name:<18} {value}" for name, value in figures.items()), as_json)
    if any(figures[name] for name in faults):
        raise Failure(f"must be 0: {', '.join(name for name in faults if figures[name])}")


@app.command()
def ingest(
    stream: Annotated[
        list[str] | None,
        typer.Option(
            help="Instead of the default rows: h264:1280x720@25/2 (25 a second, GOP 2 s)."
        ),
    ] = None,
    streams: Annotated[int, typer.Option(min=1, help="Cameras watched at once.")] = 12,
    seconds: Annotated[float, typer.Option(min=2, help="Length of each measurement.")] = 8.0,
    as_json: JsonOption = False,
) -> None:
    """What watching a camera costs, beside OpenCV and an ffmpeg process a camera."""
    from bench import ingest as bench_ingest
    from bench.ingest_methods import METHODS

    _require_streams(stream or [])
    plan = bench_ingest.Plan(streams=streams, seconds=seconds)
    if stream:
        plan = bench_ingest.Plan([(text, METHODS) for text in stream], streams, seconds)
    with _told_in_a_line():
        figures = bench_ingest.run(plan, _progress)
    _show(figures, bench_ingest.table(figures), as_json)


@app.command()
def locate(
    cameras: Annotated[int, typer.Option(min=1, help="Simulated cameras a setting.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated cameras.")] = 1,
    index_cameras: Annotated[int, typer.Option(min=1, help="Cameras in the index.")] = 100_000,
    as_json: JsonOption = False,
) -> None:
    """How far off places are, how often regions hold, and how fast cameras are found."""
    from bench import locate as bench_locate

    figures = bench_locate.measure(cameras, seed, index_cameras)
    _show(figures, bench_locate.table(figures), as_json)


@app.command()
def watch(
    rounds: Annotated[
        int, typer.Option(min=0, help="Of each way of looking at pictures; 0 leaves them out.")
    ] = 12,
    cameras: Annotated[int, typer.Option(min=1, help="Simulated cameras watched at once.")] = 20,
    stream: Annotated[
        str, typer.Option(help="What they send: h264:1280x720@25/2 (25 a second, GOP 2 s).")
    ] = "h264:1280x720@25/2",
    seconds: Annotated[
        float, typer.Option(min=0, help="Length of the part with cameras; 0 leaves it out.")
    ] = 20.0,
    minutes: Annotated[
        float, typer.Option(min=0, help="Instead of the seconds, for a long run.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """What looking at a picture costs, beside others, and cameras a core with all of it."""
    from bench import watch as bench_watch

    _require_streams([stream])
    seconds = minutes * 60 or seconds
    plan = bench_watch.Plan(rounds=rounds, cameras=cameras, stream=stream, seconds=seconds)
    with _told_in_a_line():
        figures = bench_watch.run(plan, _progress)
    _show(figures, bench_watch.table(figures), as_json)


def _require_streams(texts: list[str]) -> None:
    from bench.streams import StreamSpec

    for text in texts:
        try:
            StreamSpec.parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--stream") from error


@contextmanager
def _told_in_a_line() -> Iterator[None]:
    """What the measurements of cameras raise where one ends without a figure."""
    try:
        yield
    except RuntimeError as error:
        raise Failure(str(error)) from error


def _progress(text: str) -> None:
    typer.echo(text, err=True)


def _show(figures: dict[str, Any], table: str, as_json: bool) -> None:
    typer.echo(json.dumps(figures) if as_json else table)
