"""Which stretches of street the cameras see, at which level, with which probability.

The functions that others build on (names and parameters are the contract):

    watched(cameras, streets, buildings, *, draws=200, seed=0, priors=None, radius_m=150.0,
            on=None, progress=...) -> tuple[pa.Table, pa.Table]
        stretches without levels (STRETCHES.stretch_id ... length_m, geometry: one row a stretch)
        and records.WATCHED.

    seen_at(cameras, buildings, lon, lat, *, draws=200, seed=0, priors=None, radius_m=150.0,
            on=None) -> pa.Table
        records.SEEN for the points lon[i], lat[i] (WGS 84 degrees).
"""
