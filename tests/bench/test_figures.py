import pytest

from bot.bench import NAMES, run_bench
from bot.bench.figures import percentile, spread
from bot.bench.questions import various
from bot.errors import ConfigError
from bot.workspace import Workspace, starter_root


def test_a_percentile_is_the_nearest_rank():
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.01) == 7
    assert percentile([3.0, 1.0, 2.0], 1.0) == 3


def test_percentiles_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_spread_names_its_unit():
    assert spread([1.0, 2.0, 3.0]) == {
        "count": 3,
        "p50_ms": 2.0,
        "p95_ms": 3.0,
        "p99_ms": 3.0,
        "max_ms": 3.0,
    }


def test_questions_differ_until_every_wording_stood_in_every_frame():
    asked = various(["利率是多少", "几点开门"], 10)
    assert len(set(asked)) == 10
    assert asked[:2] == ["利率是多少", "几点开门"]
    assert all("利率是多少" in words or "几点开门" in words for words in asked)


async def test_an_unknown_measure_is_refused_with_the_names_that_exist():
    with pytest.raises(ConfigError, match="没有这一项测试：speed") as refused:
        await run_bench(["help", "speed"], Workspace(starter_root()), print)
    assert all(name in str(refused.value) for name in NAMES)


async def test_a_measure_gives_figures_beside_its_reference():
    said = []
    found = await run_bench(["statements"], Workspace(starter_root()), said.append)
    assert list(found) == ["machine", "statements"]
    figures = found["statements"]
    assert figures["writes_per_s"] > 0
    assert figures["reference_sqlite3_writes_per_s"] > figures["writes_per_s"]
    assert said
