"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): a sheet → raw rows, every cell as text."""
