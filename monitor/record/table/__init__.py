"""Reads a table of samples (CSV) from any tool, or refuses it as a whole; the error names the line and the remedy.

    t_s,displacement_m,force_n          increasing seconds; metres, up positive; newtons, pull positive
    0.000,0.31050,163.1
    0.016,0.31052,                      an empty cell: not measured in this row

A column `flags` (bits of `Flag`) may follow, as `export` writes it. If one row is wrong, none is used, because a part
of a set would look like a whole set.

    file -> text.py -> layout.py (header, separator, columns) -> rows.py (numbers) -> table.py (SI units, times, checks)
"""
