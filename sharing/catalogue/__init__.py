"""The catalogue of government data (政务数据目录): entries, lead sources, DCAT, register."""
