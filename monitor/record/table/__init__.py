"""A table of samples (CSV), from whatever tool, becomes samples, or is refused whole with the line and the remedy.

    t_s,displacement_m,force_n          seconds that only grow; metres, up positive; newtons, pull positive
    0.000,0.31050,163.1
    0.016,0.31052,                      an empty cell: not measured in this row

A column `flags` (bits of `Flag`) may follow, as `export` writes it. Half a set would only look like a set, so no row of
a table is used when one of them is wrong.

    file -> text.py -> layout.py (header, separator, columns) -> rows.py (numbers) -> table.py (SI units, checks)
"""
