"""Compile the people by country and year that come with the package, from the World Bank's figures.

    python docs/_population.py population_by_country_year.csv countries_geonames.json

The first file is data/population.csv of github.com/datasets/population (World Bank, PDDL), the
second countries.json of GeoNames (CC BY 4.0), for the codes of countries and for those that the
World Bank leaves out. Years before FIRST are left out.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

FIRST, LAST = 2000, 2024
OUT = Path(__file__).resolve().parent.parent / "src" / "sousveil" / "claims" / "population.csv"
WORLD_BANK = "World Bank, SP.POP.TOTL, through datasets/population"
GEONAMES = "GeoNames, one undated figure"


def main(figures: Path, countries: Path) -> None:
    known = json.loads(countries.read_text(encoding="utf-8")).values()
    iso2 = {country["iso3"]: country["iso"] for country in known} | {"WLD": "World"}
    by_year: dict[str, dict[int, str]] = {}
    with figures.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Country Code"] in iso2:
                of_country = by_year.setdefault(iso2[row["Country Code"]], {})
                of_country[int(row["Year"])] = row["Value"].split(".")[0]
    years = range(FIRST, LAST + 1)
    lines = [
        [code, WORLD_BANK, "PDDL-1.0", *(values.get(year, "") for year in years)]
        for code, values in by_year.items()
    ]
    gone = {"CS"}  # Serbia and Montenegro, one country until 2006
    lines += [
        [country["iso"], GEONAMES, "CC-BY-4.0", *[str(country["population"])] * len(years)]
        for country in known
        if country["iso"] not in by_year.keys() | gone and country["population"] > 1_000_000
    ]
    with OUT.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["iso2", "source", "licence", *years])
        table.writerows(sorted(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
