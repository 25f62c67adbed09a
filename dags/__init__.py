"""When it happens: DAGs built in memory from the contracts in force; parsing stays light."""
