"""Published tables worked out again: the rows that do not hold, and nothing else, are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sousveil.claims import check
from sousveil.claims._printed import evaluate, read, read_ratio
from sousveil.cli import app
from sousveil.errors import UnusableInput

COMPARITECH = """\
city,cameras,people,"cameras per 1,000 people"
Taiyuan,"465,255","3,891,127",119.57
Wuxi,"300,000","3,256,020",92.14
London,"627,727","9,304,016",67.47
Changsha,"260,000","4,577,723",56.80
Beijing,"1,150,000","20,462,610",56.20
Hangzhou,"400,000","7,642,147",52.34
Suzhou,"270,000","7,069,992",38.19
Shanghai,"1,000,000","27,058,480",39.96
Hyderabad,"300,000","10,004,144",29.99
Hefei,"113,795","4,241,514",26.83
"""


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "figures.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_of_comparitechs_rows_exactly_shanghai_is_wrong(tmp_path: Path) -> None:
    result = check(table(tmp_path, COMPARITECH))
    assert (result["figures"], result["hold"]) == (10, 9)
    (wrong,) = result["wrong"]
    assert (wrong["name"], wrong["line"], wrong["printed"]) == ("Shanghai", 9, 39.96)
    assert round(wrong["computed"], 2) == 36.96
    assert result["within_rounding"] == []


def test_with_plain_numbers_and_other_names_it_is_the_same(tmp_path: Path) -> None:
    text = (
        "place,number,population,per_1000\nWuxi,300000,3256020,92.14\n"
        "Shanghai,1000000,27058480,39.96\n"
    )
    for head in ("place,number,population,per_1000",
                 "City,# of CCTV Cameras,# of People,Cameras/1000 People"):  # fmt: skip
        result = check(table(tmp_path, text.replace("place,number,population,per_1000", head)))
        assert [wrong["name"] for wrong in result["wrong"]] == ["Shanghai"]


@pytest.mark.parametrize(
    "text",
    [
        'what,formula,result\nLondon,"0.41 x 251,000 x 4.1","421,931"\n',
        'what,formula\nLondon,"0.41 × 251,000 × 4.1 = 421,931"\n',
        "place,share,premises,cameras each,total\nLondon,0.41,251000,4.1,421931\n",
        "place,share,premises,cameras,total\nLondon,0.41,251000,4.1,421931\n",
    ],
)
def test_london_comes_to_421931(tmp_path: Path, text: str) -> None:
    result = check(table(tmp_path, text))
    assert (result["figures"], result["hold"], result["wrong"]) == (1, 1, [])
    assert round(result["checks"][0]["computed"]) == 421_931
    assert result["within_rounding"] == []
    off = check(table(tmp_path, text.replace("421,931", "521,931").replace("421931", "521931")))
    assert round(off["wrong"][0]["computed"]) == 421_931


def test_a_share_of_a_whole(tmp_path: Path) -> None:
    text = (
        "place,share,of,number\nChina,54 %,770 M,415.8 M\nChina,54 %,1 bn,540 M\n"
        "X,54 %,770 M,500 M\n"
    )
    result = check(table(tmp_path, text))
    assert [wrong["line"] for wrong in result["wrong"]] == [4]
    assert result["wrong"][0]["computed"] == pytest.approx(415.8e6)
    assert result["hold"] == 2
    percent = check(table(tmp_path, "place,percent,of,number\nChina,54,770000000,415800000\n"))
    assert percent["hold"] == 1


def test_people_per_camera(tmp_path: Path) -> None:
    """1.4 bn / 200 M is 7.0; 350 M and 1,393 M are 3.98 and not 4.1."""
    text = (
        "place,cameras,people,people per camera\nChina,200 M,1.4 bn,1 for every 7\n"
        'China,350 M,"1,393 M",1 per 4.1\nChina,350 M,"1,435 M",4.1\n'
    )
    result = check(table(tmp_path, text))
    (wrong,) = result["wrong"]
    assert wrong["line"] == 3
    assert wrong["computed"] == pytest.approx(3.98)
    assert wrong["high"] < 4.05


@pytest.mark.parametrize(
    "text",
    [
        "what,number\non buildings,22133\nfurniture,3317\nother,86\ntotal by type,25536\n"
        "total by borough,25532\n",
        "what,by,number\non buildings,type,22133\nfurniture,type,3317\nother,type,86\n"
        "total,type,25536\ntotal,borough,25532\n",
        "item,number,part_of\nby type,25536,\nby borough,25532,\non buildings,22133,by type\n"
        "furniture,3317,by type\nother,86,by type\n",
        "what,total,buildings,furniture,other\nby type,25536,22133,3317,86\nby borough,25532,,,\n",
        "place,what,number\nNYC,on buildings,22133\nNYC,furniture,3317\nNYC,other,86\n"
        "NYC,total (types),25536\nNYC,total (boroughs),25532\n",
    ],
)
def test_the_two_totals_of_new_york_disagree_by_four(tmp_path: Path, text: str) -> None:
    result = check(table(tmp_path, text))
    (wrong,) = result["wrong"]
    assert (wrong["printed"], wrong["computed"], wrong["difference"]) == (25_532, 25_536, -4)
    assert result["hold"] == 1  # the total by type is the sum of its parts


def test_a_total_that_is_not_the_sum_of_its_rows(tmp_path: Path) -> None:
    result = check(table(tmp_path, "what,number\na,10\nb,20\nTotal,31\n"))
    assert result["wrong"][0]["computed"] == 30


def test_a_total_is_tested_in_every_column_that_adds_up(tmp_path: Path) -> None:
    text = "city,cameras,people\nA,100,1000\nB,200,3000\nTotal,300,9999\n"
    result = check(table(tmp_path, text))
    assert (result["figures"], result["hold"]) == (2, 1)
    (wrong,) = result["wrong"]
    assert (wrong["name"], wrong["column"], wrong["line"]) == ("Total", "people", 4)
    assert (wrong["printed"], wrong["computed"]) == (9999, 4000)
    said = CliRunner().invoke(app, ["claims", "check", str(table(tmp_path, text))]).stdout
    assert "Wrong: line 4, Total: people is printed as 9,999" in said
    assert said.endswith("Nothing to work out in 2 rows: line 2, A; line 3, B.\n")


def test_what_does_not_add_up_is_not_summed(tmp_path: Path) -> None:
    """Ratios, shares, means and years of a row of totals, and columns with a gap."""
    text = (
        "city,cameras,people,per_1000,share of all,mean age,year,staff,rank\n"
        "A,100,1000,100,33,5,2019,7,2\nB,200,4000,50,67,6,2020,,1\n"
        "Total,300,5000,60,100,5.7,2020,9,3\n"
    )
    result = check(table(tmp_path, text))
    assert result["wrong"] == []
    sums = [item["column"] for item in result["checks"] if item["check"] == "sum of its rows"]
    assert sums == ["cameras", "people"]


def test_one_publisher_with_two_figures_for_one_thing(tmp_path: Path) -> None:
    text = (
        "place,number,year,publisher\nNew York,25532,2021,Amnesty\nNew York,25536,2021,Amnesty\n"
        "New York,10000,2021,Stanford\n"
    )
    result = check(table(tmp_path, text))
    assert [wrong["line"] for wrong in result["wrong"]] == [3]


def test_all_totals_of_seouls_districts_contradict_their_years(shared_data: Path) -> None:
    """The printed totals sum to 29,477, the years to 37,883 (README of the data)."""
    file = shared_data / "lists" / "seoul_districts" / "CCTV_in_Seoul_2016.csv"
    result = check(file)
    assert len(result["wrong"]) == result["figures"] == 25
    assert sum(wrong["printed"] for wrong in result["wrong"]) == 29_477
    assert sum(wrong["computed"] for wrong in result["wrong"]) == 37_883


def test_our_own_evidence_is_checked_too() -> None:
    from importlib import resources

    with resources.as_file(resources.files("sousveil.claims") / "evidence.csv") as file:
        result = check(file)
    assert {wrong["name"] for wrong in result["wrong"]} == {
        "shanghai-comparitech-2020", "uk-clarion-2022",
    }  # fmt: skip
    assert result["figures"] == 22


def test_what_only_rounding_explains_is_told_apart(tmp_path: Path) -> None:
    text = "place,cameras,miles2,per mile2\nLondon,691000,607,1138.48\nX,691000,607,1150\n"
    result = check(table(tmp_path, text))
    assert [item["name"] for item in result["within_rounding"]] == ["London"]
    assert [item["name"] for item in result["wrong"]] == ["X"]


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [("350 M", 350e6, 0.5e6), ("54 %", 0.54, 0.005), ("1.4 bn", 1.4e9, 0.05e9),
     ("25,532", 25_532, 0),
     ("1.393.000", 1_393_000, 0), ("36,96", 36.96, 0.005), ("about 5 million", 5e6, 0.5e6),
     ("251 000", 251_000, 0), ("2.5만", 25_000, 500), ("1'150'000", 1_150_000, 0)],
)  # fmt: skip
def test_figures_are_read_with_what_their_digits_leave_open(
    text: str, value: float, half: float
) -> None:
    found = read(text)
    assert found is not None
    assert found.value == pytest.approx(value)
    assert found.high - found.low == pytest.approx(2 * half)


@pytest.mark.parametrize("text", ["", "x", "12,3,4", "five", "3 or 4", "1 in"])
def test_what_is_no_figure_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.41 x 251,000 x 4.1", 421_931), ("54 % of 770 M", 415.8e6), ("1.4 bn / 200 M", 7.0),
     ("22,133 + 3,317 + 86", 25_536), ("(1 + 2) * 3 - 4", 5), ("2 x (3 + 4) / 7", 2)],
)  # fmt: skip
def test_arithmetic_between_figures(text: str, value: float) -> None:
    found = evaluate(text)
    assert found is not None
    assert found.value == pytest.approx(value, abs=1e-6, rel=1e-12)


@pytest.mark.parametrize("text", ["5 -", "(1 + 2", "1 / 0", "__import__('os')", "7", "2 ** 3"])
def test_what_is_no_arithmetic_is_none(text: str) -> None:
    assert evaluate(text) is None


def test_ratios_in_words() -> None:
    for text in ("4.1", "1 per 4.1", "1 for every 4.1 people", "1:4.1", "one camera for every 4.1"):
        found = read_ratio(text)
        assert found is not None, text
        assert (found.value, found.printed_low) == (4.1, pytest.approx(4.05))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "nothing to work out again"),
        ("cameras\n1\n", "line 1: no table"),
        ("cameras,people\n", "line 1: no table"),
        ("cameras,people,per_1000\n1,2\n", "line 2 has 2 cells, line 1 has 3"),
        ("cameras,cameras\n1,2\n", "names the column cameras twice"),
    ],
)
def test_a_table_that_cannot_be_tested_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UnusableInput, match=says):
        check(table(tmp_path, text))
    with pytest.raises(UnusableInput, match=r"nowhere\.csv: cannot be read \(no such file"):
        check(tmp_path / "nowhere.csv")
    korean = tmp_path / "korean.csv"
    korean.write_bytes("구별,소계\n강남구,2780\n".encode("cp949"))
    with pytest.raises(UnusableInput, match=r"korean\.csv: is not in UTF-8; save it"):
        check(korean)


def test_the_command_names_the_rows(tmp_path: Path) -> None:
    file = str(table(tmp_path, COMPARITECH))
    said = CliRunner().invoke(app, ["claims", "check", file])
    assert said.exit_code == 0
    assert said.stdout.startswith("9 of 10 figures hold.\nWrong: line 9, Shanghai:")
    asked = json.loads(CliRunner().invoke(app, ["claims", "check", file, "--json"]).stdout)
    assert [wrong["name"] for wrong in asked["wrong"]] == ["Shanghai"]
    refused = CliRunner().invoke(app, ["claims", "check", str(tmp_path / "no.csv")])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
