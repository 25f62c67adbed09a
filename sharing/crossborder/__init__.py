"""Data going abroad: which rule holds, decided by counts of distinct persons."""
