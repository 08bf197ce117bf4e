"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): a sheet → raw rows, every cell as the text that stands for it."""
