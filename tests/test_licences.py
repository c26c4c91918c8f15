"""ATTRIBUTION.md: whoever is to be named, and what may not leave the machine."""

from __future__ import annotations

from pathlib import Path

from sousveil.census import read_sources
from sousveil.sources import licences


def test_every_list_is_named_with_its_licence(shared_data: Path) -> None:
    files = [
        shared_data / "lists" / "baltimore_cctv_2014.csv",
        shared_data / "osm" / "darmstadt_hbf_2026-02.osm.pbf",
    ]
    sources = read_sources(files)
    notice = licences.attribution(sources, also=[("Somebody", "CC-BY-4.0")])
    named = [line for line in notice.splitlines() if line.startswith("- ")]
    for source, line in zip(sources, named, strict=False):
        assert source.attribution in line
        assert source.licence in line
        assert source.name in line
    assert named[2] == "- Somebody, [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/)"
    assert "derivative database of OpenStreetMap" in notice
    assert "These files stay on this machine" in notice
    assert named[3].startswith("- baltimore_cctv_2014.csv: nobody has said that its licence")
    assert len(named) == 4


def test_what_may_be_passed_on_is_not_held_back(shared_data: Path) -> None:
    sources = read_sources([shared_data / "osm" / "darmstadt_hbf_2026-02.osm.pbf"])
    assert "stay on this machine" not in licences.attribution(sources)
